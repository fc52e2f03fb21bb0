import { join } from "node:path"
import type { DeviceReport, PackSummary, Preferences } from "../../../contract/app.ts"
import { CodedError } from "../../../contract/errors.ts"
import { defaultSampling } from "../../../contract/sampling.ts"
import { readPack } from "../../packs/read.ts"
import { type AppPaths, findPack } from "../packs/find.ts"
import type { Windows } from "../windows.ts"
import { EngineClient, type StartEngine } from "./client.ts"
import { type Placement, tryDevices } from "./devices.ts"
import { Placements } from "./placements.ts"

/** Bytes of weights, all packs together, that are made ready when a window comes. */
const READY_WEIGHTS = 512 * 2 ** 20

/** What the engine runs a pack with, and on. */
export type Target = Placement & { pack: string; threads: number }

/** The engine's process, started anew where it has died, and what each pack runs on. */
export class EngineService {
  private client: EngineClient | undefined
  private readonly placements: Placements
  private gpuFailed = false
  private isReady = false

  /** @param preferences as they are now */
  constructor(
    private readonly start: StartEngine,
    private readonly places: AppPaths,
    private readonly windows: Windows,
    private readonly preferences: () => Preferences,
  ) {
    this.placements = new Placements(start, this.graphs)
  }

  /** Folder of compiled graphs, and of what was measured of them. */
  private get graphs(): string {
    return join(this.places.cache, "graphs")
  }

  private get running(): EngineClient {
    if (!this.client || this.client.isDead) this.client = new EngineClient(this.start(this.graphs))
    return this.client
  }

  tryDevices(): Promise<DeviceReport[]> {
    return tryDevices(this.start, this.graphs)
  }

  /**
   * Runs `work` with the pack in `folder` where it is best run; measuring waits until nothing runs.
   * @throws CodedError `driver` where a GPU's driver took the engine with it: the processor is taken from here on, until the app
   *   starts anew; or what `work` throws
   */
  async run<T>(folder: string, work: (client: EngineClient, target: Target) => Promise<T>): Promise<T> {
    this.placements.pause()
    try {
      const target = await this.target(folder)
      const client = this.running
      try {
        return await work(client, target)
      } catch (error) {
        if (!client.isDead || target.device === "cpu") throw error
        this.gpuFailed = true
        throw new CodedError("driver", "The GPU's driver ended the engine.", { cause: error })
      }
    } finally {
      this.placements.resume()
    }
  }

  private async target(folder: string): Promise<Target> {
    const { threads, device: choice } = this.preferences()
    const placement = await this.placements.of(this.gpuFailed ? "cpu" : choice, { folder, threads })
    this.windows.broadcast({ type: "phase", phase: "loading" })
    if (choice === "gpu" && placement.device === "cpu" && !this.gpuFailed)
      this.windows.notice("info", "No GPU works here just now; the processor is used.")
    return { pack: folder, threads, ...placement }
  }

  /** Makes one pack of each kind ready, once, the preferred one first: what is asked for meanwhile goes before. */
  async makeReady(all: PackSummary[], isIdle: () => boolean): Promise<void> {
    if (this.isReady) return
    this.isReady = true
    const { pack: preferred, device, threads } = this.preferences()
    const packs = all.filter((p) => !p.problem)
    const first = packs.find((p) => p.name === preferred)
    const chosen = new Map((first ? [first, ...packs] : packs).reverse().map((p) => [p.modality, p]))
    let left = READY_WEIGHTS
    for (const { name, sizeBytes } of [...chosen.values()].reverse()) {
      left -= sizeBytes
      if (left < 0) break
      try {
        const folder = findPack(name, this.places)
        const placement = await this.placements.of(device, { folder, threads })
        const { sampling } = readPack(folder)
        await this.running.load({ pack: folder, threads, ...placement, sampling: sampling ?? defaultSampling })
      } catch {
        // Whoever asks for it is told why.
      }
    }
    if (isIdle()) this.placements.resume()
  }

  close(): void {
    this.placements.pause()
    this.client?.close()
  }
}
