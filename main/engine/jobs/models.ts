import type { Decoder } from "../decode/decoder.ts"
import type { Model } from "../decode/model.ts"

/** A model in memory, and the decoder of its last run, whose first `dropped` bytes it does not know. */
export type Loaded = { key: string; model: Model; decoder?: Decoder; dropped: number; bytes: number }

/** Weights that stay in memory beside those in use, in bytes of their files. */
const LIMIT = 1.5 * 2 ** 30

/** The models in memory, least recently used first, so that going from one to another costs nothing. */
export class Models {
  private all: Loaded[] = []

  constructor(private readonly limit = LIMIT) {}

  /** The model of that key, which is now the last one used. */
  use(key: string): Loaded | undefined {
    const found = this.all.find((loaded) => loaded.key === key)
    if (found) this.all = [...this.all.filter((loaded) => loaded !== found), found]
    return found
  }

  add(loaded: Loaded): Loaded {
    this.all.push(loaded)
    return loaded
  }

  /** Lets go of the least recently used until `bytes` more fit. */
  async makeRoom(bytes: number): Promise<void> {
    const held = () => this.all.reduce((sum, loaded) => sum + loaded.bytes, 0)
    while (this.all.length && held() + bytes > this.limit) await release(this.all.shift() as Loaded)
  }

  async clear(): Promise<void> {
    for (const loaded of this.all.splice(0)) await release(loaded)
  }

  /** After an error nothing is known of the decoders any more. */
  forgetDecoders(): void {
    for (const loaded of this.all) delete loaded.decoder
  }
}

/** A device that failed may not even let go. */
async function release({ model, decoder }: Loaded): Promise<void> {
  try {
    decoder?.release()
    await model.release()
  } catch (error) {
    if (model.device === "cpu") throw error
  }
}
