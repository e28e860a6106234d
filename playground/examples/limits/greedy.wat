(module
  (memory (export "memory") 1)
  (global (export "rounds") (mut i32) (i32.const 0))
  (func (export "spin")
    (loop $again
      (global.set 0 (i32.add (global.get 0) (i32.const 1)))
      (br $again)))
  (func (export "grow") (param $pages i32) (result i32)
    (memory.grow (local.get $pages))))
