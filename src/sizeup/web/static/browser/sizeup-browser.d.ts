/** Whether a browser tab can download and run a language model. README.md says how each figure is known. */

export type EngineId = "webllm" | "transformers.js" | "wllama" | "mediapipe" | "builtin";
export type Answer = "yes" | "maybe" | "no" | "unknown";
export type EvidenceKind = "measured" | "published" | "derived" | "assumed";

/** One build of a model for one engine. Everything but the engine may be missing: unknown is not guessed. */
export interface Model {
  id?: string;
  engine?: EngineId | string;
  name?: string;
  kind?: "chat" | "embedding" | "classifier";
  quant?: string;
  parameters?: number;
  /** Weights that take part in one token, where those are fewer (experts). */
  activeParameters?: number;
  /** What is downloaded, the engine itself not counted. */
  bytes?: number;
  precision?: "exact" | "rounded" | "derived";
  /** Bytes read for one token; `bytes` unless said. */
  bytesPerToken?: number;
  largestFileBytes?: number;
  largestTensorBytes?: number;
  /** What its makers say that it takes on a GPU. */
  memoryBytes?: number;
  contextTokens?: number;
  /** WebGPU features that it cannot do without. */
  features?: string[];
  gated?: boolean;
  source?: string;
  date?: string;
  note?: string;
  family?: string;
  /** A file of it, to time a download by. */
  url?: string;
}

/** What a tab tells of itself. null: the browser does not say. */
export interface Device {
  platform: "windows" | "macos" | "linux" | "chromeos" | "android" | "ios" | null;
  browser: "chrome" | "firefox" | "safari" | null;
  browserMajor: number | null;
  deviceMemory: number | null;
  hardwareConcurrency: number | null;
  secureContext: boolean | null;
  crossOriginIsolated: boolean | null;
  wasmSimd: boolean | null;
  wasmRelaxedSimd: boolean | null;
  wasmThreads: boolean | null;
  wasmMemory64: boolean | null;
  wasmJspi: boolean | null;
  /** No API; the API without an adapter; a software adapter; a real one. */
  webgpu: "no-api" | "no-adapter" | "fallback" | "adapter" | null;
  features: string[] | null;
  maxBufferSize: number | null;
  maxStorageBufferBindingSize: number | null;
  maxComputeWorkgroupStorageSize: number | null;
  gpu: { vendor: string | null; architecture: string | null; description: string | null } | null;
  quota: number | null;
  usage: number | null;
  persisted: boolean | null;
  saveData: boolean | null;
  builtin: "no-api" | "unavailable" | "downloadable" | "downloading" | "available" | null;
}

/** What was measured; a rate that could not be had is missing or null. WebAssembly rates are of one thread. */
export interface Measured {
  wasmReadBytesPerS?: number | null;
  wasmFlopsPerS?: number | null;
  gpuReadBytesPerS?: number | null;
  gpuAllocatedBytes?: number | null;
  gpuAllocationFailed?: boolean | null;
  networkBytesPerS?: number | null;
  measuredIn?: "worker" | "page";
  measuredMs?: number;
}

/** A cause by its key ("fits", "no_adapter", "no_feature", "tensor_over_binding", "gated", "quota", "tab_memory", …) with its figures. */
export interface Reason {
  key: string;
  figures: { need?: number; have?: number; feature?: string; upper?: number };
}

export interface Range {
  lower: number | null;
  upper: number | null;
}

export interface Verdict {
  model: string | null;
  engine: EngineId;
  verdict: Answer;
  reason: Reason;
  download: {
    verdict: Answer;
    reason: Reason | null;
    bytes: number | null;
    engineBytes: number;
    precision: "exact" | "rounded" | "derived" | null;
    /** At the measured rate; null without one. */
    seconds: number | null;
    gated: boolean | null;
    /** floor: Chrome reports at most 10 GiB, so much or more. */
    quota: { bytes: number | null; floor: boolean; enough: boolean | null };
    evidence: string[];
  };
  load: {
    verdict: Answer;
    reason: Reason | null;
    runsOn: "gpu" | "cpu";
    build: "memory64" | "compat" | null;
    threads: number | null;
    peakBytes: Range;
    roomBytes: Range;
    evidence: string[];
  };
  speed: Range & {
    feel: "waiting" | "slow" | "reading" | "faster" | "fluent" | "instant" | null;
    boundBy: "memory" | "compute" | null;
    /** Why there is no speed: "not_measured", "never_measured", "bytes_unknown", "parameters_unknown", "does_not_generate". */
    why: string | null;
    evidence: string[];
  };
}

export interface CanRun extends Verdict {
  build: Model;
  others: (Verdict & { build: Model })[];
}

export interface Fact {
  value?: number;
  low?: number;
  middle?: number;
  high?: number;
  kind: EvidenceKind;
  source: string;
  date: string;
}

export interface MeasureOptions {
  /** Milliseconds for each of three loops; 800 unless said. */
  ms?: number;
  /** Also try how much GPU memory there is, up to so many bytes. 0: not tried. */
  allocateBytes?: number;
  /** Also time this file; the only request that measuring makes. */
  networkUrl?: string | null;
  onStep?: (step: "wasm" | "gpu" | "network") => void;
}

export function probe(options?: { fresh?: boolean }): Promise<Device>;
export function measure(options?: MeasureOptions): Promise<Measured>;
export function canRun(
  model: string | Model,
  options?: { engine?: EngineId | string | null; device?: Partial<Device> | null; measured?: Measured | null },
): Promise<CanRun>;
export function models(options?: { engine?: EngineId | string | null; text?: string }): Promise<Model[]>;
export function engines(): Promise<{ id: EngineId; name: string; version: string; package: string; aliases: string[]; engine_bytes: number }[]>;
export function evidence(name: string): Promise<Fact | null>;
