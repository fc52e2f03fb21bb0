import type { DeviceChoice } from "../../../contract/pack.ts"
import type { StartEngine } from "./client.ts"
import { chooseDevice, knownPlacement, type PackToRun, type Placement } from "./devices.ts"

/** Milliseconds without a run after which devices are measured. */
const QUIET = 8000

const onCpu: Placement = { device: "cpu", precision: "int8" }

/**
 * What packs run on. Measuring takes some seconds and never holds up a run: until a pack is measured it runs on the
 * processor, and it is measured when nothing has run for a while.
 */
export class Placements {
  /** The GPU that was asked for by name, tried once. */
  private readonly gpu = new Map<string, Promise<Placement>>()
  private readonly wanted = new Map<string, PackToRun>()
  private timer: NodeJS.Timeout | undefined
  private measuring: AbortController | undefined

  constructor(
    private readonly start: StartEngine,
    private readonly cache: string,
    private readonly quiet = QUIET,
  ) {}

  /** Where a pack runs now. */
  async of(choice: DeviceChoice, pack: PackToRun): Promise<Placement> {
    if (choice === "cpu") return onCpu
    if (choice === "auto") {
      const known = knownPlacement(this.cache, pack)
      if (!known) this.wanted.set(pack.folder, pack)
      return known ?? onCpu
    }
    const found = this.gpu.get(pack.folder) ?? chooseDevice(this.start, this.cache, "gpu", pack)
    this.gpu.set(pack.folder, found)
    return found
  }

  /** A run begins: measuring ends, as it would slow the run down and be slowed down by it. */
  pause(): void {
    clearTimeout(this.timer)
    this.measuring?.abort()
  }

  /** Nothing runs: what is not measured yet will be, unless something begins before. */
  resume(): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => void this.measure(), this.quiet).unref()
  }

  private async measure(): Promise<void> {
    const measuring = new AbortController()
    this.measuring = measuring
    try {
      for (const pack of this.wanted.values()) {
        await chooseDevice(this.start, this.cache, "auto", pack, measuring.signal)
        this.wanted.delete(pack.folder)
      }
    } catch {
      // Ended by a run, or impossible just now: another time.
    }
  }
}
