;; A 64-bit memory with the largest maximum that is valid, growing: a panic.
(module
  (memory (export "memory") i64 1 0x1000000000000)
  (func (export "grow") (result i64) i64.const 1 memory.grow))
