import { createHash } from "node:crypto"
import { join } from "node:path"
import { type Device, type ModelConfig, type Pack, type Precision, soundOf } from "../../../contract/pack.ts"
import { PackError } from "../../packs/error.ts"
import { readPack } from "../../packs/read.ts"
import { PIECE, parseSafetensors, readWeights } from "../../packs/safetensors.ts"
import { type Compiled, compile, type GraphKind, isDecode } from "../compile/compile.ts"
import { expectedShapes, Weights } from "../compile/weights.ts"
import { deviceNames, nextName } from "../graph/decode-gpu.ts"
import { InferenceSession } from "../onnxruntime.ts"

/** A pack ready to run: its graphs compiled, their sessions made when first asked for. */
export class Model {
  private readonly sessions = new Map<GraphKind, Promise<InferenceSession>>()
  /** Threads of the decode graphs, until they are measured 0 as well (threads.ts); the parallel graphs take `threads`. */
  decodeThreads: number
  /** What a sound pack's instruments sound like; see contract/modality/audio.ts. */
  readonly instruments: readonly Uint8Array[]

  private constructor(
    readonly pack: Pack,
    readonly config: ModelConfig,
    readonly compiled: Compiled,
    readonly precision: Precision,
    private readonly threads: number,
    readonly device: Device,
    private readonly profile?: string,
  ) {
    this.decodeThreads = threads
    const { instruments = [] } = soundOf(pack) ?? {}
    this.instruments = instruments.map((notes) => Uint8Array.from(Buffer.from(notes, "base64")))
  }

  /** The same model on another number of threads. */
  withThreads(threads: number): Model {
    return new Model(this.pack, this.config, this.compiled, this.precision, threads, this.device)
  }

  /**
   * Reads and checks a pack's folder and compiles it where that has not happened yet.
   * @param cache folder of compiled graphs
   * @param threads of the runtime; 0: one a core
   * @param profile prefix of files in which the runtime notes every kernel, for the benchmark
   * @throws PackError with a line for a person
   */
  static load(
    folder: string,
    precision: Precision,
    threads: number,
    cache: string,
    device: Device = "cpu",
    profile?: string,
  ): Model {
    if (precision === "fp16" && device === "cpu")
      throw new PackError("fp16 is for GPUs, a CPU is slower with it; nothing was run. Take int8 or fp32.")
    const pack = readPack(folder)
    // A local model that small is faster here than the way to a GPU and back; an aligned one has no graph for it.
    const onCpu = pack.model.notes !== undefined || pack.model.aligned
    if (onCpu) device = "cpu"
    if (onCpu && precision === "fp16") precision = "int8"
    const path = join(folder, "weights.safetensors")
    const file = readWeights(path)
    const hash = createHash("sha256")
    for (let at = 0; at < file.length; at += PIECE) hash.update(file.subarray(at, at + PIECE))
    const compiled = compile(pack.model, hash.digest("hex"), precision, cache, () => ({
      weights: new Weights(pack.model, parseSafetensors(file, path), path),
      names: expectedShapes(pack.model).keys(),
    }))
    return new Model(pack, pack.model, compiled, precision, threads, device, profile)
  }

  session(graph: GraphKind): Promise<InferenceSession> {
    let session = this.sessions.get(graph)
    if (!session) {
      const gpu = this.device !== "cpu"
      session = InferenceSession.create(this.compiled.path(gpu ? `gpu-${graph}` : graph), {
        executionProviders: [this.device],
        ...(this.profile ? { enableProfiling: true, profileFilePrefix: `${this.profile}-${graph}` } : {}),
        ...(gpu ? deviceOptions(graph, this.config, this.device) : {}),
        intraOpNumThreads: isDecode(graph) ? this.decodeThreads : this.threads,
        graphOptimizationLevel: "all",
        // 3: errors only; warnings about unused initializers are of no use to a person.
        logSeverityLevel: 3,
      })
      this.sessions.set(graph, session)
    }
    return session
  }

  async release(): Promise<void> {
    for (const session of this.sessions.values()) await (await session).release()
    this.sessions.clear()
  }
}

/** A GPU's session: no node may fall back to the CPU, and what a patch leaves for the next stays on the device. */
function deviceOptions(graph: GraphKind, config: ModelConfig, device: Device): InferenceSession.SessionOptions {
  const extra = { session: { disable_cpu_ep_fallback: "1" } }
  // Only WebGPU can hand its own memory on; the others carry the cache back and forth.
  if (device !== "webgpu" || !isDecode(graph)) return { extra }
  const kept = deviceNames(config).map((name) => [nextName(name), "gpu-buffer"] as const)
  return { extra, preferredOutputLocation: { result: "cpu", ...Object.fromEntries(kept) } }
}
