//! Whether passive segments were dropped.

use super::*;

impl Guest {
    /// Returns the segments that were dropped, by their probes.
    fn dropped(&mut self) -> Vec<Segment> {
        let mut dropped = Vec::new();
        for segment in self.layout.segments.clone() {
            match (self.call(&self.layout.probe(segment)), segment) {
                (Ok(_), _) => {}
                (Err(Some(TrapCode::MemoryOutOfBounds)), Segment::Data(_))
                | (Err(Some(TrapCode::TableOutOfBounds)), Segment::Element(_)) => dropped.push(segment),
                (other, _) => panic!("{segment:?}: {other:?}"),
            }
        }
        dropped
    }

    fn drop(&mut self, segment: Segment) {
        self.call(&self.layout.drop(segment)).unwrap();
    }
}

#[test]
fn dropped_data_segments_are_told() {
    let mut guest = Guest::new(
        r#"(module (memory 1)
            (data (i32.const 0) "active") (data $one "one") (data "") (data (i32.const 9) "") (data $two "two") (data "three")
            (func (export "drop") (data.drop $two))
            (func (export "init") (memory.init $one (i32.const 0) (i32.const 0) (i32.const 3))))"#,
    );
    assert_eq!(guest.layout.segments, [1, 4, 5].map(Segment::Data));
    assert_eq!(guest.dropped(), []);
    guest.call("drop").unwrap();
    assert_eq!(guest.dropped(), [Segment::Data(4)]);
    guest.call("init").unwrap();
    assert_eq!(guest.memory(0).data(&guest.store)[..6], *b"oneive");
    guest.drop(Segment::Data(1));
    assert_eq!(guest.dropped(), [Segment::Data(1), Segment::Data(4)]);
    assert_eq!(guest.call("init"), Err(Some(TrapCode::MemoryOutOfBounds)));
    guest.drop(Segment::Data(1));
    guest.drop(Segment::Data(5));
    assert_eq!(guest.dropped(), [1, 4, 5].map(Segment::Data));
    assert_eq!(guest.memory(0).data(&guest.store)[..7], *b"oneive\0", "probes change nothing");
}

#[test]
fn dropped_element_segments_are_told() {
    let mut guest = Guest::new(
        r#"(module (table i64 1 externref) (table 0 funcref) (func $f)
            (elem (table 1) (i32.const 0) func) (elem $f func $f $f) (elem declare func $f) (elem func)
            (elem $x externref (ref.null extern)) (elem $last funcref (ref.null func))
            (func (export "f") (elem.drop $f)) (func (export "x") (elem.drop $x))
            (func (export "init") (table.init 0 $x (i64.const 0) (i32.const 0) (i32.const 1))))"#,
    );
    assert_eq!(guest.layout.segments, [1, 4, 5].map(Segment::Element));
    assert_eq!(guest.dropped(), []);
    guest.call("f").unwrap();
    assert_eq!(guest.dropped(), [Segment::Element(1)]);
    guest.call("init").unwrap();
    guest.drop(Segment::Element(4));
    assert_eq!(guest.dropped(), [1, 4].map(Segment::Element));
    assert_eq!(guest.call("init"), Err(Some(TrapCode::TableOutOfBounds)));
    guest.drop(Segment::Element(5));
    assert_eq!(guest.dropped(), [1, 4, 5].map(Segment::Element));
}

#[test]
fn segments_are_told_with_64_bit_and_imported_targets() {
    for memories in [
        "(memory 0)",
        "(memory i64 1)",
        "(memory i64 0) (memory 1)",
        "(memory 1) (memory i64 1)",
        r#"(import "h" "m" (memory 0)) (memory i64 1)"#,
    ] {
        let wat = format!(r#"(module {memories} (data $d "data") (func (export "drop") (data.drop $d)))"#);
        let memory = |store: &mut Store<()>| vec![Memory::new(store, MemoryType::new(0, None)).unwrap().into()];
        let mut guest = if memories.contains("import") { Guest::importing(&wat, memory) } else { Guest::new(&wat) };
        assert_eq!(guest.dropped(), [], "{memories}");
        guest.call("drop").unwrap();
        assert_eq!(guest.dropped(), [Segment::Data(0)], "{memories}");
    }
}

#[test]
fn segments_that_no_instance_can_observe_get_no_functions() {
    for wat in [
        r#"(module (data "no memory") (func (data.drop 0)))"#,
        r#"(module (memory 1) (data "no code refers to it"))"#,
        "(module (func $no_table) (elem func $no_table) (func (elem.drop 0)))",
        "(module (table 1 externref) (func $of_another_type) (elem func $of_another_type) (func (elem.drop 0)))",
        "(module (table 1 funcref) (elem func) (func (elem.drop 0)))",
        r#"(module (memory 1) (data "") (func (data.drop 0)))"#,
    ] {
        let guest = Guest::new(wat);
        assert_eq!(guest.layout.segments, [], "{wat}");
        let count = guest.layout.memories.indices().len() + guest.layout.tables.indices().len();
        assert_eq!(guest.instance.exports(&guest.store).count(), count + guest.layout.functions.len(), "{wat}");
    }
}
