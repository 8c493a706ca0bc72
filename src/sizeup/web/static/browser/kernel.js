// Two WebAssembly SIMD loops, put together by hand: what decoding does to a processor is read weights, multiply and add.
//   read(from, to)  sums f32x4 from memory with four accumulators, 64 bytes a turn
//   compute(turns)  eight chains of multiply and add: 64 floating point operations a turn

export const FLOPS_A_TURN = 64;
export const PAGE = 65536;

const get = (local) => [0x20, local];
const set = (local) => [0x21, local];
const int = (number) => [0x41, ...signed(number)];
const ADD = [0xfd, 0xe4, 0x01];
const MULTIPLY = [0xfd, 0xe6, 0x01];
const FIRST_LANE = [0xfd, 0x1f, 0x00];
const load = (offset) => [0xfd, 0x00, 0x04, offset];
const HALF = [0x43, 0x00, 0x00, 0x00, 0x3f, 0xfd, 0x13]; // 0.5 in all four lanes
const I32 = 0x7f;
const F32 = 0x7d;
const V128 = 0x7b;

function unsigned(number) {
  const bytes = [];
  do bytes.push((number & 127) | (number > 127 ? 128 : 0));
  while ((number >>>= 7));
  return bytes;
}

function signed(number) {
  const bytes = [];
  for (;;) {
    const byte = number & 127;
    number >>= 7;
    if ((number === 0 && byte < 64) || (number === -1 && byte > 63)) return [...bytes, byte];
    bytes.push(byte | 128);
  }
}

const section = (id, bytes) => [id, ...unsigned(bytes.length), ...bytes];
const body = (bytes) => [...unsigned(bytes.length), ...bytes];
const name = (text) => [text.length, ...new TextEncoder().encode(text)];
const loop = (turn) => [0x03, 0x40, ...turn, 0x0d, 0x00, 0x0b]; // the turn leaves whether to go on
const joined = (locals) => [...get(locals[0]), ...locals.slice(1).flatMap((local) => [...get(local), ...ADD]), ...FIRST_LANE];

function readBody() {
  const sums = [2, 3, 4, 5];
  const turn = sums.flatMap((sum, i) => [...get(sum), ...get(0), ...load(16 * i), ...ADD, ...set(sum)]);
  const onward = [...get(0), ...int(64), 0x6a, 0x22, 0x00, ...get(1), 0x49]; // from += 64; from < to
  return body([0x01, sums.length, V128, ...loop([...turn, ...onward]), ...joined(sums), 0x0b]);
}

function computeBody() {
  const chains = [1, 2, 3, 4, 5, 6, 7, 8];
  const half = 9;
  const turn = chains.flatMap((chain) => [...get(chain), ...get(half), ...MULTIPLY, ...get(half), ...ADD, ...set(chain)]);
  const onward = [...get(0), ...int(1), 0x6b, 0x22, 0x00]; // turns -= 1
  return body([0x01, 9, V128, ...HALF, ...set(half), ...loop([...turn, ...onward]), ...joined(chains), 0x0b]);
}

/** The module's bytes. It imports `env.memory`, which is not shared, so it runs without isolation. */
export function kernel() {
  const types = [2, 0x60, 2, I32, I32, 1, F32, 0x60, 1, I32, 1, F32];
  return new Uint8Array([
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00,
    ...section(1, types),
    ...section(2, [1, ...name("env"), ...name("memory"), 2, 0, 1]),
    ...section(3, [2, 0, 1]),
    ...section(7, [2, ...name("read"), 0, 0, ...name("compute"), 0, 1]),
    ...section(10, [2, ...readBody(), ...computeBody()]),
  ]);
}
