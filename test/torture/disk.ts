import {
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { setTimeout } from "node:timers/promises"
import { defaultSampling } from "../../contract/sampling.ts"
import { EngineClient, forkEngine } from "../../main/host/engine/client.ts"
import { Library } from "../../main/host/library.ts"
import { Studio } from "../../main/host/studio.ts"
import { textItem } from "../support/item.ts"
import { openWindow } from "../support/window.ts"
import { folder, isOver, isSentence, type Part, parity } from "./part.ts"
import { mutate } from "./random.ts"

/** A disk that fails under a run: the folder goes, a folder stands where a file should be. */
export const diskFaults: Part = async (random, until) => {
  const [home, cache] = [folder("disk"), folder("cache")]
  cpSync(parity("modern"), join(home, "packs/parity-modern"), { recursive: true })
  const studio = new Studio({ shipped: join(home, "none"), home, cache }, forkEngine)
  const faults: string[] = []
  const { call, events, of } = openWindow(studio)
  const library = join(home, "library")
  const settings = { pack: "parity-modern", length: 3000, seed: 1, variations: 1, sampling: defaultSampling, style: 0 }
  let count = 0
  while (!isOver(until) || count === 0) {
    events.length = 0
    const run = call("generate", { settings, given: new Uint8Array() }).catch(({ message }) => {
      if (!isSentence(message)) faults.push(message)
    })
    await setTimeout(300 + random.below(1200))
    const [item] = readdirSync(library).filter((name) => existsSync(join(library, name, "bits.f32")))
    const aside = join(home, "aside")
    if (item) cpSync(join(library, item), aside, { recursive: true })
    if (item) rmSync(join(library, item), { recursive: true })
    await setTimeout(1500)
    const comesBack = random.below(2) === 0
    // The disk comes back as it was, or a person has had enough.
    if (item && comesBack) cpSync(aside, join(library, item), { recursive: true })
    else await call("stop", {})
    const ended = await Promise.race([run.then(() => true), setTimeout(30_000, false)])
    if (!ended) {
      faults.push("a run did not end after its folder came back or it was stopped")
      await call("stop", {})
      await run
    }
    for (const { text } of of("notice")) if (!isSentence(text)) faults.push(text)
    rmSync(aside, { recursive: true, force: true })
    rmSync(library, { recursive: true, force: true })
    mkdirSync(library)
    count++
  }
  studio.close()
  for (const path of [home, cache]) rmSync(path, { recursive: true, force: true })
  return { what: "folders taken away while a run writes into them", count, details: "each was told, and ended", faults }
}

/** A library of ten thousand items opens and is listed. */
export const manyItems: Part = async () => {
  const home = folder("items")
  const library = new Library(join(home, "library"))
  const { id } = library.add({ ...textItem, status: "done" }, Buffer.from("Once"))
  const first = join(home, "library", id)
  const json = JSON.parse(readFileSync(join(first, "item.json"), "utf8"))
  for (let i = 1; i < 10_000; i++) {
    const copy = join(home, "library", `${id}-${i}`)
    mkdirSync(copy)
    for (const name of ["output.txt", "bits.f32"]) linkSync(join(first, name), join(copy, name))
    writeFileSync(join(copy, "item.json"), JSON.stringify({ ...json, id: `${id}-${i}` }))
  }
  const began = performance.now()
  const count = new Library(join(home, "library")).list().length
  const seconds = (performance.now() - began) / 1000
  rmSync(home, { recursive: true, force: true })
  const faults = [
    ...(count === 10_000 ? [] : [`${count} of 10,000 items are listed`]),
    ...(seconds > 10 ? [`opening took ${seconds.toFixed(1)} s`] : []),
  ]
  return { what: "items in one library", count, details: `opened in ${seconds.toFixed(1)} s`, faults }
}

/** Damaged compiled graphs are made again. */
export const damagedCache: Part = async (random, until) => {
  const cache = folder("cache")
  const request = { pack: parity("modern"), precision: "int8", threads: 1, seed: 4, sampling: defaultSampling } as const
  const bytesOf = async () => {
    const engine = new EngineClient(forkEngine(cache, true))
    const made: number[] = []
    const patch = ({ parts }: { parts: { bytes: Uint8Array }[] }) => void made.push(...(parts[0]?.bytes ?? []))
    try {
      await engine.generate({ ...request, prompt: Uint8Array.of(1), length: 20, variations: 1 }, { patch }).result
    } finally {
      engine.close()
    }
    return String(made)
  }
  const right = await bytesOf()
  const faults: string[] = []
  let count = 0
  while (!isOver(until) || count === 0) {
    const [name = ""] = readdirSync(cache).filter((entry) => statSync(join(cache, entry)).isDirectory())
    const file = join(cache, name, random.of(readdirSync(join(cache, name))))
    const damaged = mutate(readFileSync(file), random)
    writeFileSync(file, damaged)
    const made = await bytesOf().catch((error: Error) => error.message)
    if (made !== right) faults.push(`${file.split("/").at(-1)}: ${made.slice(0, 80)}`)
    count++
  }
  rmSync(cache, { recursive: true, force: true })
  return {
    what: "damaged files among the compiled graphs",
    count,
    details: "each gave the same bytes as before",
    faults,
  }
}
