import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { decodeSamples } from "../../contract/samples.ts"
import { writeFlac } from "../../main/host/media/audio.ts"
import { writePng } from "../../main/host/media/image.ts"

/**
 * Makes the examples that the app offers, from held-out data: `npx tsx bench/tools/examples.ts`. The chorale is the first
 * held-out organ clip of the sound pack before the tunes (J. S. Bach, public domain; FluidR3 GM, MIT), the monster a held-out
 * game tile (Dungeon Crawl Stone Soup, CC0).
 */
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const out = here("../../assets/public/examples")
mkdirSync(out, { recursive: true })

const clips = readFileSync(here("../../native-models/training/build/sound/heldout/organ.npy"))
const start = 10 + clips.readUInt16LE(8)
const sound = { rate: 8000, encoding: "mu-law" } as const
const chorale = decodeSamples(clips.subarray(start, start + 32000), sound)
writeFileSync(join(out, "chorale.flac"), await writeFlac(chorale, sound.rate))

const held = here("../../../shared/data/heldout/image/sprites")
const { labels, classes } = JSON.parse(readFileSync(`${held}.json`, "utf8")) as { labels: number[]; classes: string[] }
const n = labels.findIndex((label) => classes[label] === "mon")
const pixels = readFileSync(`${held}.rgb`).subarray(n * 3072, (n + 1) * 3072)
const canvas = { width: 32, height: 32, header: 0, styles: [] }
writeFileSync(join(out, "monster.png"), await writePng(Uint8Array.from(pixels), canvas, 8))
