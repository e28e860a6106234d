(module
  (memory 1)
  (global $calls (mut i32) (i32.const 0))
  (func $count (global.set $calls (i32.add (global.get $calls) (i32.const 1))))
  (func (export "calls") (result i32) (global.get $calls))

  (func (export "divide") (param $by i32) (result i32)
    (call $count)
    (i32.div_s (i32.const 1) (local.get $by)))

  (func (export "convert") (param $by i32) (result i32)
    (call $count)
    (i32.trunc_f64_s (f64.div (f64.const 0) (f64.convert_i32_s (local.get $by)))))

  (func (export "load") (param $at i32) (result i32)
    (call $count)
    (i32.load (i32.sub (local.get $at) (i32.const 4))))

  (func $recurse (export "recurse") (param $n i32) (result i32)
    (i32.add (call $recurse (local.get $n)) (i32.const 1)))

  (func (export "unreachable") (param i32) (call $count) (unreachable))

  (func (export "fine") (param $n i32) (result i32) (call $count) (i32.const 42)))
