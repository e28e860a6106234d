;; A plugin, as text. `wasm.instantiate("plugin.wat")` compiles it.
(module
  (import "env" "log" (func $log (param $ptr i32) (param $length i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "some data")

  ;; The first free byte.
  (global $free (mut i32) (i32.const 1024))

  ;; Reserves `length` bytes and returns their address.
  (func (export "alloc") (param $length i32) (result i32)
    (global.get $free)
    (global.set $free
      (i32.add (global.get $free) (local.get $length))))

  ;; Logs the text at `ptr`.
  (func (export "handle") (param $ptr i32) (param $length i32)
    (call $log (local.get $ptr) (local.get $length)))

  ;; Returns the address of "some data" in the low 32 bits,
  ;; and its length in the high ones.
  (func (export "get_data") (result i64)
    (i64.or
      (i64.const 16)
      (i64.shl (i64.const 9) (i64.const 32))))

  ;; Divides 42 by `n - 7`.
  (func (export "risky") (param $n i32) (result i32)
    (i32.div_s
      (i32.const 42)
      (i32.sub (local.get $n) (i32.const 7)))))
