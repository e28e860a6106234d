;; The game of life on a torus of 160 × 100 cells, a byte each: the field at 0, the next one at 16384, pixels at 65536.
(module
  (memory (export "memory") 3)

  (func (export "seed") (param $state i32)
    (local $at i32)
    (local.set $state (i32.or (local.get $state) (i32.const 1)))
    (loop $next
      ;; xorshift
      (local.set $state (i32.xor (local.get $state) (i32.shl (local.get $state) (i32.const 13))))
      (local.set $state (i32.xor (local.get $state) (i32.shr_u (local.get $state) (i32.const 17))))
      (local.set $state (i32.xor (local.get $state) (i32.shl (local.get $state) (i32.const 5))))
      (i32.store8 (local.get $at) (i32.eqz (i32.and (local.get $state) (i32.const 3))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $at) (i32.const 16000)))))

  (func $row (param $y i32) (result i32)
    (i32.mul (i32.rem_u (i32.add (local.get $y) (i32.const 100)) (i32.const 100)) (i32.const 160)))

  (func $sum3 (param $row i32) (param $left i32) (param $x i32) (param $right i32) (result i32)
    (i32.add (i32.load8_u (i32.add (local.get $row) (local.get $left)))
      (i32.add (i32.load8_u (i32.add (local.get $row) (local.get $x)))
        (i32.load8_u (i32.add (local.get $row) (local.get $right))))))

  (func (export "step")
    (local $x i32) (local $y i32) (local $left i32) (local $right i32) (local $sum i32) (local $cell i32)
    (local $above i32) (local $here i32) (local $below i32)
    (loop $rows
      (local.set $above (call $row (i32.sub (local.get $y) (i32.const 1))))
      (local.set $here (call $row (local.get $y)))
      (local.set $below (call $row (i32.add (local.get $y) (i32.const 1))))
      (local.set $x (i32.const 0))
      (local.set $left (i32.const 159))
      (loop $cells
        (local.set $right (select (i32.const 0) (i32.add (local.get $x) (i32.const 1)) (i32.eq (local.get $x) (i32.const 159))))
        (local.set $cell (i32.load8_u (i32.add (local.get $here) (local.get $x))))
        (local.set $sum (i32.add
          (call $sum3 (local.get $above) (local.get $left) (local.get $x) (local.get $right))
          (i32.add
            (call $sum3 (local.get $here) (local.get $left) (local.get $x) (local.get $right))
            (call $sum3 (local.get $below) (local.get $left) (local.get $x) (local.get $right)))))
        ;; Three in the nine cells: alive. Four: as it is.
        (i32.store8 offset=16384 (i32.add (local.get $here) (local.get $x))
          (i32.or (i32.eq (local.get $sum) (i32.const 3))
            (i32.and (local.get $cell) (i32.eq (local.get $sum) (i32.const 4)))))
        (local.set $left (local.get $x))
        (local.set $x (i32.add (local.get $x) (i32.const 1)))
        (br_if $cells (i32.lt_u (local.get $x) (i32.const 160))))
      (local.set $y (i32.add (local.get $y) (i32.const 1)))
      (br_if $rows (i32.lt_u (local.get $y) (i32.const 100))))
    (memory.copy (i32.const 0) (i32.const 16384) (i32.const 16000)))

  ;; A cell that lives is bright, one that has died fades.
  (func (export "paint")
    (local $at i32) (local $pixel i32) (local $green i32)
    (loop $next
      (local.set $pixel (i32.add (i32.const 65536) (i32.shl (local.get $at) (i32.const 2))))
      (if (i32.load8_u (local.get $at))
        (then (i32.store (local.get $pixel) (i32.const 0xffb3c23c)))
        (else
          (local.set $green (i32.load8_u offset=1 (local.get $pixel)))
          (local.set $green (select (local.get $green) (i32.const 26) (i32.gt_u (local.get $green) (i32.const 26))))
          (local.set $green (i32.add (i32.const 26)
            (i32.shr_u (i32.mul (i32.sub (local.get $green) (i32.const 26)) (i32.const 7)) (i32.const 3))))
          (i32.store (local.get $pixel) (i32.or (i32.const 0xff2b0010) (i32.shl (local.get $green) (i32.const 8))))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $at) (i32.const 16000))))))
