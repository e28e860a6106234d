(module
  (memory (export "memory") 1)
  (data (i32.const 16) "text 1.0\00")
  (global $free (mut i32) (i32.const 1024))

  (func (export "version") (result i32) (i32.const 16))

  (func (export "alloc") (param $length i32) (result i32)
    (global.get $free)
    (global.set $free (i32.add (global.get $free) (local.get $length))))

  (func (export "count_spaces") (param $ptr i32) (param $length i32) (result i32)
    (local $count i32)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $length)))
        (local.set $count (i32.add (local.get $count)
          (i32.eq (i32.load8_u (local.get $ptr)) (i32.const 32))))
        (local.set $ptr (i32.add (local.get $ptr) (i32.const 1)))
        (local.set $length (i32.sub (local.get $length) (i32.const 1)))
        (br $next)))
    (local.get $count))

  ;; Letters of ASCII become capitals; the bytes of others stay.
  (func (export "shout") (param $ptr i32) (param $length i32)
    (local $byte i32)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $length)))
        (local.set $byte (i32.load8_u (local.get $ptr)))
        (if (i32.lt_u (i32.sub (local.get $byte) (i32.const 97)) (i32.const 26))
          (then (i32.store8 (local.get $ptr) (i32.sub (local.get $byte) (i32.const 32)))))
        (local.set $ptr (i32.add (local.get $ptr) (i32.const 1)))
        (local.set $length (i32.sub (local.get $length) (i32.const 1)))
        (br $next)))))
