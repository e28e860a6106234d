//! What the functions of a module share.

use crate::interface::{Limits, Signature};
use crate::plan::ZERO;
use crate::random::Random;
use crate::value::Type;

/// The initial number of elements of a table.
pub const TABLE: u64 = 8;

/// An offset at which a segment does not fit.
pub const FAR: i32 = 5;

pub struct Env {
    pub types: Vec<Signature>,
    /// The type of each function, including imported ones, which come first.
    pub funcs: Vec<u32>,
    pub imports: usize,
    /// The imports' names, which determine what the imports do.
    pub names: Vec<String>,
    /// The first counts the steps that loops and calls may still take.
    pub globals: Vec<Type>,
    pub memories: Vec<Limits>,
    /// The number of imported memories, which come first.
    pub imported_memories: usize,
    pub tables: Vec<(Type, Limits)>,
    /// The number of imported tables, which come first.
    pub imported_tables: usize,
    /// An imported global before all others, which gives the offset of the first segment. The host's value for it is 0,
    /// and that of an instance of the same module is [`FAR`]: of two instances, the second remains half made.
    pub place: Option<String>,
    pub data: u32,
    /// Active element segments, and passive ones, which come after them.
    pub active: u32,
    pub passive: u32,
    /// The types that this module favours: with few types, more things fit each other.
    pub favoured: Vec<Type>,
    /// Whether code after a branch is written, tail calls are made, and so on, which differs by module.
    pub mood: Mood,
}

/// How often a module does some things, out of 10 times.
pub struct Mood {
    pub select: u32,
    pub blocks: u32,
    pub calls: u32,
    pub memory: u32,
    pub tables: u32,
    pub pressure: u32,
}

impl Env {
    pub fn random(random: &mut Random) -> Self {
        let mut favoured: Vec<_> = (0..random.within(1, 4)).map(|_| any_type(random)).collect();
        favoured.push(Type::I32);
        let mut mood = || if random.one_in(3) { 0 } else { random.within(1, 10) };
        let mood = Mood {
            select: mood(),
            blocks: mood() + 2,
            calls: mood(),
            memory: mood(),
            tables: mood() / 2,
            pressure: mood() + 1,
        };
        let mut env = Self {
            types: Vec::new(),
            funcs: Vec::new(),
            imports: 0,
            names: Vec::new(),
            globals: vec![Type::I32],
            memories: Vec::new(),
            imported_memories: 0,
            tables: Vec::new(),
            imported_tables: 0,
            place: None,
            data: random.below(3),
            active: 0,
            passive: random.within(1, 2),
            favoured,
            mood,
        };
        env.globals.extend((0..random.below(5)).map(|_| any_type(random)));
        let memories = random.weighted(&[2, 6, 1]);
        env.memories.extend((0..memories).map(|_| memory(random)));
        if random.one_in(4) {
            // The host may give the same memory for both.
            env.memories = vec![memory(random); random.within(1, 3) as usize];
            env.imported_memories = env.memories.len().min(2);
        }
        let tables = random.weighted(&[1, 4, 1]);
        for index in 0..tables {
            let element = if index == 0 || !random.one_in(3) { Type::Func } else { Type::Extern };
            let maximum = if random.one_in(2) { None } else { Some(TABLE + u64::from(random.below(6))) };
            env.tables.push((element, Limits { is_64: random.one_in(4), minimum: TABLE, maximum }));
        }
        if random.one_in(4) {
            env.imported_tables = env.tables.len();
            env.place = random.one_in(2).then(|| format!("{ZERO}{}", random.below(1000)));
        }
        if !env.tables.is_empty() {
            env.active = if env.place.is_some() { 2 } else { 1 };
        }
        env.imports = random.below(5) as usize;
        let defined = random.within(1, 8) as usize;
        for index in 0..env.imports + defined {
            // No parameters and no results: some paths of a call are only for these.
            let signature = if random.one_in(4) {
                Signature { params: Vec::new(), results: Vec::new() }
            } else if index > 0 && random.one_in(3) {
                // A type that exists already, so that some tail calls fit.
                env.types[env.funcs[random.below(index as u32) as usize] as usize].clone()
            } else {
                env.signature(random)
            };
            let ty = env.type_index(&signature.params, &signature.results);
            env.funcs.push(ty);
            if index < env.imports {
                env.names.push(format!("h{index}-{}", random.below(1000)));
            }
        }
        for index in 0..env.imported_memories {
            env.names.push(format!("m{index}-{}", random.below(1000)));
        }
        for index in 0..env.imported_tables {
            env.names.push(format!("t{index}-{}", random.below(1000)));
        }
        env
    }

    fn signature(&self, random: &mut Random) -> Signature {
        let params = *random.pick(&[0, 1, 1, 2, 2, 3, 4, 9]);
        let results = *random.pick(&[0, 1, 1, 1, 1, 2, 3, 8]);
        Signature { params: self.some_types(params, random), results: self.some_types(results, random) }
    }

    pub fn some_types(&self, count: u32, random: &mut Random) -> Vec<Type> {
        (0..count).map(|_| self.some_type(random)).collect()
    }

    pub fn some_type(&self, random: &mut Random) -> Type {
        if random.one_in(8) { any_type(random) } else { *random.pick(&self.favoured) }
    }

    /// Returns the index of a type, adding it if necessary.
    pub fn type_index(&mut self, params: &[Type], results: &[Type]) -> u32 {
        let known = self.types.iter().position(|ty| ty.params == params && ty.results == results);
        known.unwrap_or_else(|| {
            self.types.push(Signature { params: params.to_vec(), results: results.to_vec() });
            self.types.len() - 1
        }) as u32
    }

    /// Returns the index of the first global that is not imported.
    pub fn first_global(&self) -> u32 {
        u32::from(self.place.is_some())
    }

    /// Returns an element segment for `table.init`. Active segments, which are dropped, are used
    /// only where they certainly are.
    pub fn segment(&self, random: &mut Random) -> u32 {
        let first = if self.place.is_some() { self.active } else { 0 };
        random.within(first, self.active + self.passive - 1)
    }

    pub fn signature_of(&self, func: u32) -> &Signature {
        &self.types[self.funcs[func as usize] as usize]
    }
}

fn any_type(random: &mut Random) -> Type {
    Type::ALL[random.weighted(&[8, 5, 3, 3, 2, 1, 1])]
}

fn memory(random: &mut Random) -> Limits {
    let is_64 = random.one_in(3);
    let maximum = match random.below(4) {
        0 => None,
        1 => Some(u64::from(random.within(2, 5))),
        2 => Some(100),
        // The highest valid one.
        _ if is_64 => Some(1 << 48),
        _ => Some(1 << 16),
    };
    Limits { is_64, minimum: u64::from(random.below(2)) + 1, maximum }
}
