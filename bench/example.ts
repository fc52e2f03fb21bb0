import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import type { Sound } from "../contract/pack.ts"
import { encodeSamples } from "../contract/samples.ts"
import { readSound } from "../main/host/media/audio.ts"

/** A file of this project by its path from the root. */
export const at = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url))

/** The app's example of sound, as a pack's bytes. */
export async function exampleSound(sound: Sound): Promise<Uint8Array<ArrayBuffer>> {
  const path = at("assets/public/examples/chorale.flac")
  return encodeSamples((await readSound(path, readFileSync(path), sound, 1)).samples, sound)
}
