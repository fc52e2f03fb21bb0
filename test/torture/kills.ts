import { spawn } from "node:child_process"
import { cpSync, rmSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { setTimeout } from "node:timers/promises"
import { defaultSampling } from "../../contract/sampling.ts"
import { forkEngine } from "../../main/host/engine/client.ts"
import { Library } from "../../main/host/library.ts"
import { Studio } from "../../main/host/studio.ts"
import type { ChildPort } from "../../main/process/child.ts"
import { openWindow } from "../support/window.ts"
import { folder, isOver, isSentence, type Part, parity, root, wrongWith } from "./part.ts"

/** The app is killed at any moment of writing; afterwards what a second before was shown must be on the disk. */
export const appKills: Part = async (random, until) => {
  const [home, cache] = [folder("app"), folder("cache")]
  cpSync(parity("modern"), join(home, "packs/parity-modern"), { recursive: true })
  const faults: string[] = []
  let [count, most, checked] = [0, 0, 0]
  while (!isOver(until) || count === 0) {
    const args = ["--import", "tsx", join(root, "test/torture/app.ts"), home, cache, "parity-modern"]
    const app = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "pipe", "ignore"] })
    const shown: { at: number; made: [string, number][] }[] = []
    let ready = () => {}
    const begun = new Promise<void>((resolve) => {
      ready = resolve
    })
    createInterface({ input: app.stdout }).on("line", (line) => {
      if (!line.endsWith("}")) return
      shown.push(JSON.parse(line))
      ready()
    })
    // Every fourth while it still loads, the others while it writes.
    const isEarly = count % 4 === 3
    if (!isEarly && !(await Promise.race([begun.then(() => true), setTimeout(60_000, false)])))
      faults.push("nothing was written within a minute")
    await setTimeout(random.below(5000))
    const killed = Date.now()
    app.kill("SIGKILL")
    await new Promise((resolve) => app.once("exit", resolve))
    await setTimeout(50)
    count++
    const library = new Library(join(home, "library"))
    const last = shown.filter(({ at }) => at < killed - 1500).at(-1)
    for (const [id, bytes] of last?.made ?? []) {
      const { bytes: there, given } = library.get(id)
      checked++
      most = Math.max(most, bytes)
      if (there - given < bytes)
        faults.push(`${id}: ${bytes} bytes were shown 1.5 s before, ${there - given} are there`)
    }
    faults.push(...wrongWith(join(home, "library")))
    rmSync(join(home, "library"), { recursive: true, force: true })
  }
  for (const path of [home, cache]) rmSync(path, { recursive: true, force: true })
  return {
    what: "kills of the app while it writes",
    count,
    details: `${checked} items compared with what was shown 1.5 s before, up to ${most} bytes each`,
    faults,
  }
}

/** The engine is killed at any moment; the item is kept as interrupted, and the next run begins. */
export const engineKills: Part = async (random, until) => {
  const [home, cache] = [folder("engine"), folder("cache")]
  cpSync(parity("modern"), join(home, "packs/parity-modern"), { recursive: true })
  let engine: ChildPort | undefined
  const studio = new Studio({ shipped: join(home, "none"), home, cache }, (folder, quiet) => {
    const port = forkEngine(folder, quiet)
    if (!quiet) engine = port
    return port
  })
  const { call, events, of } = openWindow(studio)
  const faults: string[] = []
  let count = 0
  const settings = {
    pack: "parity-modern",
    length: 50_000,
    seed: 1,
    variations: 1,
    sampling: defaultSampling,
    style: 0,
  }
  while (!isOver(until) || count === 0) {
    events.length = 0
    const run = call("generate", { settings, given: new Uint8Array() }).catch(({ message }) => {
      if (!isSentence(message)) faults.push(message)
    })
    await setTimeout(200 + random.below(2500))
    engine?.kill()
    const ended = await Promise.race([run.then(() => true), setTimeout(10_000, false)])
    count++
    if (!ended) faults.push("a run did not end within 10 s of its engine")
    for (const { text } of of("notice")) if (!isSentence(text)) faults.push(`notice: ${text}`)
  }
  studio.close()
  faults.push(...wrongWith(join(home, "library")))
  for (const path of [home, cache]) rmSync(path, { recursive: true, force: true })
  return { what: "kills of the engine", count, details: "every item stayed, interrupted", faults }
}
