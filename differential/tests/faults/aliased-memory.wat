;; One memory that is imported twice and grows by its second name: by the first one it is as it was.
(module
  (import "host" "a" (memory $first 1))
  (import "host" "c" (memory $second 1))
  (func (export "last") (result i32)
    (drop (memory.grow $second (i32.const 1)))
    (i32.load $first (i32.sub (i32.shl (memory.size $second) (i32.const 16)) (i32.const 4)))))
