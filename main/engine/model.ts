import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { InferenceSession } from "onnxruntime-node"
import type { ModelConfig, Pack, Precision } from "../../contract/pack.ts"
import { type Compiled, compile, type GraphName } from "../../native-models/graph/compile.ts"
import { parseSafetensors } from "../../native-models/graph/safetensors.ts"
import { expectedShapes, Weights } from "../../native-models/graph/weights.ts"
import { readPack } from "../packs/read.ts"

/** A pack ready to run: its graphs compiled, their sessions made when first asked for. */
export class Model {
  private readonly sessions = new Map<GraphName, Promise<InferenceSession>>()

  private constructor(
    readonly pack: Pack,
    readonly config: ModelConfig,
    readonly compiled: Compiled,
    private readonly threads: number,
  ) {}

  /**
   * Reads and checks a pack's folder and compiles it where that has not happened yet.
   * @param cache folder of compiled graphs
   * @param threads of the runtime; 0: one a core
   * @throws PackError with a line for a person
   */
  static load(folder: string, precision: Precision, threads: number, cache: string): Model {
    const pack = readPack(folder)
    const path = join(folder, "weights.safetensors")
    const file = readFileSync(path)
    const hash = createHash("sha256").update(file).digest("hex")
    const compiled = compile(pack.model, hash, precision, cache, () => ({
      weights: new Weights(pack.model, parseSafetensors(file, path), path),
      names: expectedShapes(pack.model).keys(),
    }))
    return new Model(pack, pack.model, compiled, threads)
  }

  session(graph: GraphName): Promise<InferenceSession> {
    let session = this.sessions.get(graph)
    if (!session) {
      session = InferenceSession.create(this.compiled.path(graph), {
        executionProviders: ["cpu"],
        intraOpNumThreads: this.threads,
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
