;; A tail call of a host function without parameters and results, from a function that was called by one without
;; slots in use: a crash.
(module
  (import "host" "h" (func $host))
  (func $tail return_call $host)
  (func $id (param i64) (result i64) local.get 0)
  (func (export "run") (result i64)
    call $tail
    (i64.add (call $id (i64.const 1)) (i64.add (call $id (i64.const 2)) (call $id (i64.const 3))))))
