// How fast WebGPU reads a large buffer, as decoding reads weights, and how much memory it really gives when asked.

import { adapter, within } from "./probe.js";

const MIB = 2 ** 20;
const INVOCATIONS = 65536;
const GROUP = 64;

// Values that differ, since hardware compresses buffers of zeros and reads those faster than any memory allows.
const FILL = `@group(0) @binding(0) var<storage, read_write> out: array<vec4f>;
@compute @workgroup_size(${GROUP}) fn main(@builtin(global_invocation_id) id: vec3u) {
  for (var i = id.x; i < arrayLength(&out); i += ${INVOCATIONS}u) { out[i] = vec4f(f32(i * 2654435761u), f32(i), 1.0, f32(i ^ 0x5bd1e995u)); }
}`;
const READ = `@group(0) @binding(0) var<storage, read> weights: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> sums: array<vec4f>;
@compute @workgroup_size(${GROUP}) fn main(@builtin(global_invocation_id) id: vec3u) {
  var sum = vec4f();
  for (var i = id.x; i < arrayLength(&weights); i += ${INVOCATIONS}u) { sum += weights[i]; }
  sums[id.x] = sum;
}`;

const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];

async function program(device, source, buffers) {
  const module = device.createShaderModule({ code: source });
  const pipeline = await device.createComputePipelineAsync({ layout: "auto", compute: { module, entryPoint: "main" } });
  const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
  const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  return async (times) => {
    const commands = device.createCommandEncoder();
    const pass = commands.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    for (let i = 0; i < times; i++) pass.dispatchWorkgroups(INVOCATIONS / GROUP);
    pass.end();
    const began = performance.now();
    device.queue.submit([commands.finish()]);
    await device.queue.onSubmittedWorkDone();
    return performance.now() - began;
  };
}

/** Bytes read a second, the median of runs that each last long enough for the clock. */
async function readRate(device, bytes, ms) {
  const usage = GPUBufferUsage.STORAGE;
  const weights = device.createBuffer({ size: bytes, usage });
  const sums = device.createBuffer({ size: INVOCATIONS * 16, usage });
  try {
    await (await program(device, FILL, [weights]))(1);
    const read = await program(device, READ, [weights, sums]);
    await read(1);
    let times = 1;
    for (let took = await read(times); took < 40 && times < 1024; took = await read(times)) times *= 2;
    const rates = [];
    for (const end = performance.now() + ms; performance.now() < end || rates.length < 3; ) {
      rates.push((bytes * times * 1000) / (await read(times)));
    }
    return median(rates);
  } finally {
    weights.destroy();
    sums.destroy();
  }
}

/** Takes memory in steps until it has `wanted` bytes or the GPU refuses; all is given back. */
async function allocate(device, wanted, step) {
  const taken = [];
  let failed = false;
  while (taken.length * step < wanted && !failed) {
    device.pushErrorScope("out-of-memory");
    const buffer = device.createBuffer({ size: step, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST });
    const commands = device.createCommandEncoder();
    commands.clearBuffer(buffer); // memory that nobody wrote to may exist in name only
    device.queue.submit([commands.finish()]);
    await device.queue.onSubmittedWorkDone();
    failed = (await device.popErrorScope()) !== null;
    if (failed) buffer.destroy();
    else taken.push(buffer);
  }
  taken.forEach((buffer) => buffer.destroy());
  return { gpuAllocatedBytes: taken.length * step, gpuAllocationFailed: failed };
}

/** GPU rates of this tab; an empty object when there is no adapter, or its driver does not answer in time. */
export async function gpuRates({ ms, allocateBytes = 0, timeoutMs = 20000 }) {
  const found = await adapter();
  if (!found) return {};
  const slow = found.info?.isFallbackAdapter ?? false;
  const { maxBufferSize, maxStorageBufferBindingSize } = found.limits;
  const device = await within(5000, found.requestDevice({ requiredLimits: { maxBufferSize, maxStorageBufferBindingSize } }));
  if (!device) return {};
  try {
    const most = Math.min(maxBufferSize, maxStorageBufferBindingSize);
    const bytes = Math.min((slow ? 16 : 256) * MIB, most - (most % 16));
    const rate = await within(timeoutMs, readRate(device, bytes, ms));
    const room = allocateBytes && !slow ? await within(timeoutMs, allocate(device, allocateBytes, 256 * MIB)) : null;
    return { gpuReadBytesPerS: rate, ...room };
  } finally {
    device.destroy();
  }
}
