(module
  (import "cache" "put" (func $put (param i32 i64)))
  (import "cache" "get" (func $get (param i32) (result i64)))
  (import "ui" "progress" (func $progress (param i32)))

  (func $fib (param $n i32) (result i64)
    (local $value i64)
    (if (i32.lt_s (local.get $n) (i32.const 2))
      (then (return (i64.extend_i32_s (local.get $n)))))
    ;; What the script keeps, 0 for what it has not got.
    (local.set $value (call $get (local.get $n)))
    (if (i64.eqz (local.get $value))
      (then
        (local.set $value (i64.add
          (call $fib (i32.sub (local.get $n) (i32.const 1)))
          (call $fib (i32.sub (local.get $n) (i32.const 2)))))
        (call $put (local.get $n) (local.get $value))))
    (local.get $value))

  (func (export "fib") (param $n i32) (result i64)
    (call $progress (i32.const 0))
    (call $fib (local.get $n))
    (call $progress (i32.const 100))))
