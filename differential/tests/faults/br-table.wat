;; A `br_table` that takes values along, above another operand: the target reads other slots.
(module
  (func (export "two") (param i32) (result i32 i32)
    block $a (result i32 i32)
      block $b (result i32 i32)
        i32.const 100
        i32.const 1
        i32.const 2
        local.get 0
        br_table $a $b
      end
      return
    end))
