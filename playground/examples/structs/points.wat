;; struct point { int32_t x, y; double weight; };
(module
  (memory (export "memory") 1)

  ;; The sum of weight × distance from the origin.
  (func (export "total") (param $at i32) (param $count i32) (result f64)
    (local $sum f64) (local $x f64) (local $y f64)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $count)))
        (local.set $x (f64.convert_i32_s (i32.load (local.get $at))))
        (local.set $y (f64.convert_i32_s (i32.load offset=4 (local.get $at))))
        (local.set $sum (f64.add (local.get $sum)
          (f64.mul (f64.load offset=8 (local.get $at))
            (f64.sqrt (f64.add (f64.mul (local.get $x) (local.get $x)) (f64.mul (local.get $y) (local.get $y)))))))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $next)))
    (local.get $sum))

  (func (export "move") (param $at i32) (param $count i32) (param $dx i32) (param $dy i32)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $count)))
        (i32.store (local.get $at) (i32.add (i32.load (local.get $at)) (local.get $dx)))
        (i32.store offset=4 (local.get $at) (i32.add (i32.load offset=4 (local.get $at)) (local.get $dy)))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $next)))))
