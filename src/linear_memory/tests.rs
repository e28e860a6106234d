use wasmi::{Memory, MemoryType, Store};

use super::{LinearMemory, are_same, set_word, word};

const PAGE: u64 = 1 << 16;
const SIZE: u64 = 4 * PAGE;

/// Makes a memory of four pages and passes it to `f`, with the same bytes beside it. None of the bytes is 0.
fn with_memory(f: impl FnOnce(LinearMemory<'_>, Vec<u8>)) {
    let mut store = Store::new(&wasmi::Engine::default(), ());
    let memory = Memory::new(&mut store, MemoryType::new(4, None)).unwrap();
    let bytes: Vec<u8> = (0..SIZE).map(|at| (at * 31 + (at >> 8) * 7) as u8 | 1).collect();
    memory.write(&mut store, 0, &bytes).unwrap();
    f(LinearMemory::new(memory, &mut store), bytes);
}

/// Ranges that fit: empty, short, within a page, and across several.
const RANGES: &[(u64, u64)] = &[
    (0, 0),
    (SIZE, 0),
    (5, 1),
    (PAGE - 8, 16),
    (3, 17),
    (SIZE - 2000, 2000),
    (PAGE - 1, PAGE),
    (1, 2 * PAGE + 1),
    (0, SIZE),
];

const OUTSIDE: &[(u64, u64)] =
    &[(SIZE, 1), (SIZE - 1, 2), (SIZE + 1, 0), (0, SIZE + 1), (u64::MAX, 1), (1, u64::MAX), (SIZE - 3000, 3001)];

fn part(bytes: &[u8], (offset, length): (u64, u64)) -> &[u8] {
    bytes.get(offset as usize..(offset + length) as usize).unwrap()
}

fn allowed() -> Result<(), ()> {
    Ok(())
}

#[test]
fn ranges_are_read() {
    with_memory(|memory, bytes| {
        assert_eq!(memory.size() as u64, SIZE);
        for &(offset, length) in RANGES {
            let expected = part(&bytes, (offset, length));
            assert_eq!(memory.read(offset, length, <[u8]>::to_vec).unwrap(), expected);
            assert_eq!(memory.to_vec(offset, length).unwrap(), expected);
            let take = |allow: fn() -> Result<(), &'static str>| {
                memory.take(offset, length, allow, <[u8]>::to_vec, |_| "outside")
            };
            assert_eq!(take(|| Ok(())).unwrap(), expected);
            assert_eq!(take(|| Err("no")), Err("no"));
            let (mut seen, mut count) = (Vec::new(), 0);
            let read = |part: &[u8]| {
                seen.extend_from_slice(part);
                count += 1;
                allowed()
            };
            assert_eq!(memory.read_parts(offset, length, read), Some(Ok(())));
            assert_eq!(seen, expected);
            assert!(count > 0);
            assert_eq!(memory.read_parts(offset, length, |_| Err("no")), Some(Err("no")));
        }
    });
}

#[test]
fn ranges_are_written() {
    with_memory(|mut memory, mut bytes| {
        for (&(offset, length), byte) in RANGES.iter().zip(1..) {
            let (start, count) = (offset as usize, length as usize);
            let mut next = (0..).step_by(3).map(|number: u32| number as u8 ^ byte);
            let written = memory.write_parts(offset, length, |part| {
                assert!(part.len() % 2 == 0 || part.len() < 1 << 16 || part.len() == count);
                part.fill_with(|| next.next().unwrap());
                allowed()
            });
            assert_eq!(written, Some(Ok(())));
            let next = (0..).step_by(3).map(|number: u32| number as u8 ^ byte);
            bytes.iter_mut().skip(start).take(count).zip(next).for_each(|(to, next)| *to = next);
            assert_eq!(memory.to_vec(0, SIZE).unwrap(), bytes);
            let content = vec![byte; count];
            assert_eq!(memory.write(offset, &content), Some(()));
            bytes.get_mut(start..start + count).unwrap().copy_from_slice(&content);
            assert_eq!(memory.to_vec(0, SIZE).unwrap(), bytes);
            assert_eq!(memory.fill(offset, length, byte + 1), Some(()));
            bytes.get_mut(start..start + count).unwrap().fill(byte + 1);
            assert_eq!(memory.to_vec(0, SIZE).unwrap(), bytes);
            let front = memory.write_front(offset, length, |place| {
                let count = place.len() / 2;
                place.get_mut(..count).unwrap().fill(byte);
                Ok::<_, ()>(count)
            });
            assert_eq!(front, Some(Ok(count / 2)));
            bytes.get_mut(start..start + count / 2).unwrap().fill(byte);
            assert_eq!(memory.to_vec(0, SIZE).unwrap(), bytes);
        }
    });
}

#[test]
fn ranges_outside_change_nothing() {
    with_memory(|mut memory, bytes| {
        for &(offset, length) in OUTSIDE {
            assert_eq!(memory.read(offset, length, |_| ()), None);
            assert_eq!(memory.to_vec(offset, length), None);
            assert_eq!(memory.take(offset, length, || Err(0), |_| (), |size| size as u64), Err(SIZE));
            assert_eq!(memory.read_parts(offset, length, |_| allowed()), None);
            assert_eq!(memory.find(offset, length, b"x"), None);
            assert_eq!(memory.read_to_nul(offset, length, |_| ()), None);
            assert_eq!(memory.write_parts(offset, length, |_| allowed()), None);
            assert_eq!(memory.write_front(offset, length, |_| Ok::<_, ()>(0)), None);
            assert_eq!(memory.fill(offset, length, 0), None);
            assert_eq!(memory.copy_within(offset, 0, length), None);
            assert_eq!(memory.copy_within(0, offset, length), None);
        }
        assert_eq!(memory.write(SIZE - 1, b"ab"), None);
        assert_eq!(memory.write(SIZE + 1, b""), None);
        assert_eq!(memory.to_vec(0, SIZE).unwrap(), bytes);
    });
}

#[test]
fn copies_may_overlap() {
    let cases = [
        (0, 1, SIZE - 1),
        (1, 0, SIZE - 1),
        (0, PAGE + 3, 2 * PAGE + 5),
        (PAGE + 3, 0, 2 * PAGE + 5),
        (10, 10, 3 * PAGE),
        (7, SIZE, 0),
    ];
    for (from, to, length) in cases {
        with_memory(|mut memory, mut bytes| {
            assert_eq!(memory.copy_within(from, to, length), Some(()));
            bytes.copy_within(from as usize..(from + length) as usize, to as usize);
            assert!(memory.to_vec(0, SIZE).unwrap() == bytes, "{length} bytes from {from} to {to}");
        });
    }
}

#[test]
fn needles_are_found() {
    with_memory(|mut memory, _| {
        let long: Vec<u8> = (0..PAGE + 100).map(|at| (at % 251) as u8).collect();
        for needle in [b"x".as_slice(), b"needle", &long] {
            let length = needle.len() as u64;
            for at in [0, 1, PAGE - length.min(PAGE) / 2, PAGE, 2 * PAGE - 1, SIZE - length] {
                memory.fill(0, SIZE, 252).unwrap();
                memory.write(at, needle).unwrap();
                for start in [0, at / 2, at] {
                    assert_eq!(memory.find(start, SIZE - start, needle), Some(Some(at - start)), "{length} at {at}");
                    assert_eq!(memory.find(start, at + length - start, needle), Some(Some(at - start)));
                    assert_eq!(memory.find(start, at + length - 1 - start, needle), Some(None));
                }
                assert_eq!(memory.find(at + 1, SIZE - at - 1, needle), Some(None));
            }
        }
        assert_eq!(memory.find(3, 5, b""), Some(Some(0)));
        assert_eq!(memory.find(3, 0, b""), Some(Some(0)));
        assert_eq!(memory.find(3, 0, b"x"), Some(None));
    });
}

#[test]
fn texts_end_at_the_first_nul() {
    with_memory(|mut memory, bytes| {
        for end in [0, 1, 255, 256, 257, 1000, 1280, PAGE, PAGE + 1, 3 * PAGE, SIZE - 1] {
            memory.write(0, &bytes).unwrap();
            memory.write(end, &[0]).unwrap();
            for start in [0, end / 2, end] {
                let text = memory.read_to_nul(start, SIZE - start, <[u8]>::to_vec);
                assert_eq!(text.unwrap(), part(&bytes, (start, end - start)));
                assert_eq!(memory.read_to_nul(start, end - start, |_| ()), None);
                assert_eq!(memory.read_to_nul(start, end - start + 1, |_| ()), Some(()));
            }
        }
    });
}

#[test]
fn words_are_read_and_written() {
    let mut store = Store::new(&wasmi::Engine::default(), ());
    let [memory, other, empty] = [1, 1, 0].map(|pages| Memory::new(&mut store, MemoryType::new(pages, None)).unwrap());
    assert_eq!(set_word(memory, &mut store, PAGE - 4, [1, 2, 3, 4]), Some(()));
    assert_eq!(word(memory, &store, PAGE - 4), Some([1, 2, 3, 4]));
    assert_eq!(word(memory, &store, PAGE - 5), Some([0, 1, 2]));
    for at in [PAGE - 3, PAGE, u64::MAX] {
        assert_eq!(set_word(memory, &mut store, at, [9; 4]), None);
        assert_eq!(word::<4>(memory, &store, at), None);
    }
    assert_eq!(word(memory, &store, PAGE - 4), Some([1, 2, 3, 4]));
    assert_ne!(are_same(memory, memory, &store), Some(false));
    assert_ne!(are_same(memory, other, &store), Some(true));
    assert_eq!(are_same(empty, empty, &store), None);
}

#[test]
fn no_memory_is_empty() {
    let mut memory = LinearMemory::none();
    assert_eq!(memory.size(), 0);
    assert_eq!(memory.to_vec(0, 0), Some(Vec::new()));
    assert_eq!(memory.write(0, b""), Some(()));
    assert_eq!(memory.read(1, 0, |_| ()), None);
    assert_eq!(memory.write(0, b"a"), None);
    assert_eq!(memory.fill(0, 1, 0), None);
}
