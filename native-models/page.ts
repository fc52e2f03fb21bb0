import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { z } from "zod"
import type { Pack, Precision } from "../contract/pack.ts"
import { defaultSampling, type Sampling } from "../contract/sampling.ts"
import { EngineClient, forkEngine } from "../main/host/engine/client.ts"
import { documentBounds, readPack, wholeDocument } from "../main/packs/read.ts"

/** What the packs' pages (report.ts beside each pack) have in common. */

/** What a page asks the engine to make; a picture ends by itself, whatever the length. */
export type Order = {
  seed: number
  variations?: number
  length?: number
  style?: number
  untilEnd?: boolean
  columns?: boolean
  given?: Uint8Array
  sampling?: Sampling
}

/** A pack in an engine of its own, and a folder for what comes and goes. */
export class PagePack {
  readonly pack: Pack
  readonly sampling
  readonly work = mkdtempSync(join(tmpdir(), "megabyte-report-"))
  private readonly engine = new EngineClient(forkEngine(join(this.work, "cache")))

  constructor(readonly folder: string) {
    this.pack = readPack(folder)
    this.sampling = this.pack.sampling ?? defaultSampling
  }

  /** Bits of a whole document, its style left open; `told`: its header stands before it. */
  async bitsOf(bytes: Uint8Array<ArrayBuffer>, precision: Precision, told = true): Promise<number> {
    const { bytes: whole, header } = told ? wholeDocument(this.pack, bytes) : { bytes, header: 0 }
    return (await this.bitsOfEach(whole, precision)).subarray(header).reduce((a, b) => a + b, 0)
  }

  /** Bits of each byte of what the model reads, a header among it. */
  async bitsOfEach(bytes: Uint8Array<ArrayBuffer>, precision: Precision): Promise<Float32Array> {
    const { logprob } = await this.engine.score({ pack: this.folder, precision, threads: 0, bytes }).result
    return logprob.map((x) => -x / Math.LN2)
  }

  /** What goes on from `given`, with it, in 8 bits and the pack's own sampling: one a variation. */
  async generate({ seed, variations = 1, length, given = new Uint8Array(), sampling, ...wish }: Order) {
    const made = Array.from({ length: variations }, () => [...given])
    const { header: _, room, ...bounds } = documentBounds(this.pack, given, wish)
    const request = { pack: this.folder, precision: "int8", threads: 0, seed, variations } as const
    await this.engine.generate(
      {
        ...request,
        ...bounds,
        sampling: sampling ?? this.sampling,
        length: Math.min(length ?? room, room),
      },
      {
        patch: ({ parts }) => {
          for (const [b, part] of parts.entries()) made[b]?.push(...part.bytes)
        },
      },
    ).result
    return made.map((bytes) => Uint8Array.from(bytes))
  }

  close(): void {
    this.engine.close()
    rmSync(this.work, { recursive: true, force: true })
  }
}

/** What a pack's description says of its training; each stretch began with the weights of the one inside of it. */
const Stretch = z.object({
  steps: z.number(),
  bytesSeen: z.number(),
  minutes: z.number(),
  hardware: z.string(),
  note: z.string().optional(),
  meanWith: z.string().optional(),
  get init() {
    return Stretch.optional()
  },
})
type Stretch = z.infer<typeof Stretch>

/** The stretches of a training in words, the first first; for the packs' pages. */
export function stretches(training: unknown): string {
  const told = ({ steps, bytesSeen, minutes, hardware, note, meanWith, init }: Stretch): string[] => [
    ...(init ? told(init) : []),
    `${minutes} minutes on ${hardware} (${steps} steps, ${(bytesSeen / 1e6).toFixed(0)} MB seen` +
      `${meanWith ? "; what went on is the mean of its weights and those it began with" : ""}${note ? `; ${note}` : ""})`,
  ]
  return told(Stretch.parse(training)).join(", then ")
}
