;; The module that every peer runs.
(module
    (import "env" "f" (func $f (param i32) (result i32)))
    (memory (export "memory") 2)
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    ;; Calls the import `n` times.
    (func (export "host") (param $n i32)
        (loop $again
            (drop (call $f (i32.const 5)))
            (local.set $n (i32.sub (local.get $n) (i32.const 1)))
            (br_if $again (local.get $n))))
    ;; The sum of a generator's bytes, written to memory and read back.
    (func (export "loop") (param $n i32) (result i32)
        (local $x i32) (local $sum i32)
        (loop $again
            (local.set $x (i32.add (i32.mul (local.get $x) (i32.const 1664525)) (i32.const 1013904223)))
            (i32.store (i32.and (local.get $n) (i32.const 0xfffc)) (local.get $x))
            (local.set $sum (i32.add (local.get $sum)
                (i32.load8_u (i32.and (local.get $x) (i32.const 0xffff)))))
            (local.set $n (i32.sub (local.get $n) (i32.const 1)))
            (br_if $again (local.get $n)))
        (local.get $sum)))
