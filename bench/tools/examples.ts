import { execFileSync } from "node:child_process"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { z } from "zod"
import { canvasOf, Pack, soundOf } from "../../contract/pack.ts"
import { decodeSamples } from "../../contract/samples.ts"
import { writeFlac } from "../../main/host/media/audio.ts"
import { writePng } from "../../main/host/media/image.ts"

/**
 * Makes the examples that the app offers, from what no model was trained on: `npx tsx bench/tools/examples.ts`, after
 * training/render_tunes.py. They are the first held-out chorale (J. S. Bach, public domain), on the organ, and the first
 * held-out monster of Dungeon Crawl Stone Soup (CC0).
 */
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const json = (path: string) => JSON.parse(readFileSync(path, "utf8"))
const out = here("../../assets/public/examples")
mkdirSync(out, { recursive: true })

const tunes = here("../../native-models/training/build/tunes")
const number = z
  .array(z.object({ kind: z.string() }))
  .parse(json(`${tunes}/tunes.json`))
  .findIndex(({ kind }) => kind === "chorale")
const sound = soundOf(Pack.parse(json(here("../../native-models/audio/pack.json"))))
if (!sound) throw new Error("the sound pack has no sound")
const wav = readFileSync(`${tunes}/organ-${number}.wav`)
const begin = wav.indexOf("data") + 8
const SECONDS = 6
const chorale = decodeSamples(wav.subarray(begin, begin + SECONDS * sound.rate), sound)
writeFileSync(join(out, "chorale.flac"), await writeFlac(chorale, sound.rate))

const held = (name: string) =>
  execFileSync("xz", ["-dc", here(`../../../shared/data/heldout/image/${name}.xz`)], { maxBuffer: 2 ** 26 })
const Icons = z.object({
  classes: z.array(z.string()),
  sets: z.array(z.string()),
  label: z.array(z.number()),
  set: z.array(z.number()),
})
const { classes, sets, label, set } = Icons.parse(JSON.parse(held("icons.json").toString()))
const monster = label.findIndex((l, i) => classes[l] === "monster" && sets[set[i] as number] === "crawl")
const canvas = canvasOf(Pack.parse(json(here("../../native-models/image/pack.json"))))
if (!canvas) throw new Error("the picture pack has no canvas")
const size = canvas.width * canvas.height
const pixels = Uint8Array.from(held("icons.bin").subarray(monster * size, (monster + 1) * size))
writeFileSync(join(out, "monster.png"), await writePng(pixels, canvas, 8))
