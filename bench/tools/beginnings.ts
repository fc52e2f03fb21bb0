import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { canvasBytes, canvasOf, type Pack, secondBytes, soundOf } from "../../contract/pack.ts"
import { defaultSampling } from "../../contract/sampling.ts"
import { EngineClient, forkEngine } from "../../main/host/engine/client.ts"
import { defaultPaths, findPack, packFor } from "../../main/host/packs/find.ts"
import { documentBounds, readPack } from "../../main/packs/read.ts"
import { stylesOf } from "../../renderer/store/packs.ts"

/**
 * Makes what the first screen's cards grow: one result of each kind by the packs that ship, with their own sampling and
 * seed 1, the first that came, and a picture of every style for the styles' buttons. `npx tsx bench/tools/beginnings.ts`
 * writes renderer/home/results.json and samples.json anew; with `--samples` the latter alone.
 */
const SEED = 1
const TEXT = "Once upon a time there was a little"
const CHARACTERS = 420
const SECONDS = 3

const places = { ...defaultPaths(), home: "/nonexistent" }
const home = join(import.meta.dirname, "../../renderer/home")
const client = new EngineClient(forkEngine(join(places.cache, "graphs")))

type Kind = "text" | "image" | "audio"

const shipped = (modality: Kind) => findPack(packFor(modality, modality, places), places)

async function make(modality: Kind, wanted?: number) {
  const folder = shipped(modality)
  const pack: Pack = readPack(folder)
  const [canvas, sound] = [canvasOf(pack), soundOf(pack)]
  const { styles, defaultStyle } = stylesOf(pack)
  const style = wanted ?? defaultStyle
  const given = new TextEncoder().encode(modality === "text" ? TEXT : "")
  const { header: _, room: __, ...bounds } = documentBounds(pack, given, { style })
  const length = canvas ? canvasBytes(canvas) : sound ? SECONDS * secondBytes(sound) : CHARACTERS
  const [bytes, bits]: [number[], number[]] = [[...given], [...given].map(() => -1)]
  await client.generate(
    {
      pack: folder,
      precision: "int8",
      threads: 0,
      device: "cpu",
      ...bounds,
      length,
      unit: modality === "text" ? "characters" : "bytes",
      variations: 1,
      seed: SEED,
      sampling: pack.sampling ?? defaultSampling,
    },
    {
      patch({ parts: [part] }) {
        if (!part) return
        bytes.push(...part.bytes)
        bits.push(...Array.from(part.logprob, (x) => -x / Math.LN2))
      },
    },
  ).result
  const { patch } = pack.model
  const means = Array.from({ length: Math.ceil(bytes.length / patch) }, (_, i) => {
    const some = bits.slice(i * patch, (i + 1) * patch).filter((b) => b >= 0)
    return some.length ? Math.round((100 * some.reduce((a, b) => a + b, 0)) / some.length) / 100 : -1
  })
  return {
    pack: pack.name,
    title: pack.title,
    modality,
    seed: SEED,
    style,
    styleName: styles[style] ?? "",
    given: given.length,
    patch,
    usual: pack.heldOut.bitsPerByte,
    ...(canvas ? { canvas } : {}),
    ...(sound ? { sound } : {}),
    bytes: Buffer.from(bytes).toString("base64"),
    bits: means,
  }
}

/** A file of JSON whose lists of numbers stand in one line each. */
function write(name: string, value: unknown): void {
  const path = join(home, name)
  const json = JSON.stringify(value, undefined, 1).replace(/\n\s+(-?[\d.]+,?)(?=\n)/g, " $1")
  writeFileSync(path, `${json}\n`)
  process.stdout.write(`${path}: ${readFileSync(path).length} bytes\n`)
}

if (!process.argv.includes("--samples")) {
  const results = []
  for (const modality of ["text", "image", "audio"] as const) results.push(await make(modality))
  write("results.json", results)
}
const { name, ...pictures } = readPack(shipped("image"))
const { styles } = stylesOf(pictures)
const samples: Record<string, string> = {}
for (let style = 1; style < styles.length; style++)
  samples[styles[style] as string] = (await make("image", style)).bytes
write("samples.json", { [name]: samples })
client.close()
