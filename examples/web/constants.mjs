// Generated from capi/include/wasmlark.h by `UPDATE=1 cargo test --package wasmlark-capi --test header`. Do not edit.

export const LIMIT = {
  fuel: 0,
  memory: 1,
  table_elements: 2,
  instances: 3,
  stack_depth: 4,
  ticks: 5,
  heap: 6,
  call_depth: 7,
  output: 8,
  files: 9,
  nesting: 10,
  cost: 11,
};

export const STATUS = {
  ok: 0,
  absent: 1,
  null: 2,
  utf8: 3,
  handle: 4,
  argument: 5,
  busy: 6,
  resources: 7,
  panic: 8,
};

export const KIND = {
  done: 0,
  script: 1,
  value: 2,
  module: 3,
  link: 4,
  handle: 5,
  load: 6,
  trap: 7,
  limit: 8,
  other: 9,
  host: 10,
  exit: 11,
  interrupted: 12,
  deadline: 13,
  internal: 14,
  no_run: -1,
};

export const TYPE = {
  none: 0,
  bool: 1,
  int: 2,
  float: 3,
  string: 4,
  bytes: 5,
  list: 6,
  tuple: 7,
  dict: 8,
  set: 9,
  struct: 10,
  opaque: 11,
  no_value: -1,
};

export const TEXT = {
  output: 0,
  value: 1,
  error: 2,
  message: 3,
  trap: 4,
  limit: 5,
  file: 6,
  error_output: 7,
  profile: 8,
};

export const NUMBER = {
  fuel: 0,
  ticks: 1,
  memory_peak: 2,
  line: 3,
  column: 4,
  exit_code: 5,
  cost: 6,
};

export const WASM_TYPE = {
  i32: 0,
  i64: 1,
  f32: 2,
  f64: 3,
};
