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
 * seed 1, the first that came. `npx tsx bench/tools/beginnings.ts` writes renderer/home/results.json anew.
 */
const SEED = 1
const TEXT = "Once upon a time there was a little"
const CHARACTERS = 420
const SECONDS = 3

const places = { ...defaultPaths(), home: "/nonexistent" }
const out = join(import.meta.dirname, "../../renderer/home/results.json")
const client = new EngineClient(forkEngine(join(places.cache, "graphs")))

async function make(modality: "text" | "image" | "audio") {
  const folder = findPack(packFor(modality, modality, places), places)
  const pack: Pack = readPack(folder)
  const [canvas, sound] = [canvasOf(pack), soundOf(pack)]
  const { styles, defaultStyle: style } = stylesOf(pack)
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

const results = []
for (const modality of ["text", "image", "audio"] as const) results.push(await make(modality))
const json = JSON.stringify(results, undefined, 1).replace(/\n\s+(-?[\d.]+,?)(?=\n)/g, " $1")
writeFileSync(out, `${json}\n`)
process.stdout.write(`${out}: ${readFileSync(out).length} bytes\n`)
client.close()
