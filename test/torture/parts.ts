import { spawn } from "node:child_process"
import {
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { setTimeout } from "node:timers/promises"
import sharp from "sharp"
import { Item } from "../../contract/app.ts"
import { decodeFrame, encodeFrame } from "../../contract/frames.ts"
import { defaultSampling } from "../../contract/sampling.ts"
import { EngineClient, forkEngine } from "../../main/host/engine/client.ts"
import { Library } from "../../main/host/library.ts"
import { forkMedia, MediaReader } from "../../main/host/media/client.ts"
import { Studio } from "../../main/host/studio.ts"
import { readPack } from "../../main/packs/read.ts"
import type { ChildPort } from "../../main/process/child.ts"
import { serve } from "../../main/web/server.ts"
import { textItem } from "../support/item.ts"
import { openWindow } from "../support/window.ts"
import { mutate, type Random } from "./random.ts"

/** What one part of the torture found. `faults`: what must not be, each in a line. */
export type Found = { what: string; count: number; details: string; faults: string[] }
export type Part = (random: Random, until: number) => Promise<Found>

const root = join(import.meta.dirname, "../..")
const parity = (name: string) => join(root, "test/parity", name)
const folder = (name: string) => mkdtempSync(join(tmpdir(), `megabyte-torture-${name}-`))
const isOver = (until: number) => Date.now() >= until
/** One sentence for a person: a line, with an end, without a stack or a library's words. */
const isSentence = (text: string) =>
  /^[^\n]{8,600}[.)]$/.test(text) && !/\bat \w+ \(|undefined|\[object|ENOENT:|Error:/.test(text)

/** What is wrong with a library on the disk: bits beside their bytes, entries that can be read. */
function wrongWith(library: string): string[] {
  const opened = new Library(library)
  const wrong = opened.unreadable.map((name) => `${name} cannot be read`)
  for (const { id, bytes, given } of opened.list()) {
    const read = opened.read(id)
    if (read.bytes.length !== bytes) wrong.push(`${id}: ${read.bytes.length} bytes, its entry says ${bytes}`)
    const bits = statSync(join(library, id, "bits.f32")).size / 4
    if (bits !== bytes) wrong.push(`${id}: ${bits} bits beside ${bytes} bytes`)
    if (read.bits.subarray(given).some(Number.isNaN) && bits < bytes) wrong.push(`${id}: bits are missing`)
    Item.parse(JSON.parse(readFileSync(join(library, id, "item.json"), "utf8")))
  }
  return wrong
}

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

/** Files as people have them, small. */
async function corpus(): Promise<{ name: string; bytes: Buffer }[]> {
  const walk = (path: string): string[] =>
    readdirSync(path, { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? walk(join(path, entry.name)) : [join(path, entry.name)],
    )
  const files = [...walk(join(root, "test/cases")), ...walk(join(root, "test/sounds"))]
    .filter((path) => !path.endsWith(".ts") && statSync(path).size < 2 ** 18)
    .map((path) => ({ name: path.split("/").at(-1) ?? "", bytes: readFileSync(path) }))
  const picture = sharp({ create: { width: 48, height: 40, channels: 4, background: "#c0803080" } })
  const made = await Promise.all(
    (["png", "jpeg", "webp", "gif", "tiff", "avif"] as const).map(async (format) => ({
      name: `made.${format}`,
      bytes: await picture.clone().toFormat(format).toBuffer(),
    })),
  )
  const drawing = `<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><g><rect width="9" height="9"/></g></svg>`
  return [...files, ...made, { name: "made.svg", bytes: Buffer.from(drawing) }]
}

/** Mutated files are opened one after the other as a person would; the app must stay quick, and say one sentence. */
export const hostileFiles: Part = async (random, until) => {
  const work = folder("files")
  const path = join(work, "file")
  const seeds = await corpus()
  const packs = {
    image: readPack(parity("picture")),
    audio: readPack(parity("sound")),
    text: readPack(parity("modern")),
  }
  let [pid, peak, ends, slowest, blocked]: [number | undefined, number, number, number, number] = [
    undefined,
    0,
    0,
    0,
    0,
  ]
  const media = new MediaReader(() => {
    const port = forkMedia()
    pid = port.pid
    port.onExit(() => ends++)
    return port
  })
  let tick = performance.now()
  const ticks = setInterval(() => {
    blocked = Math.max(blocked, performance.now() - tick - 50)
    tick = performance.now()
  }, 50)
  const [faults, kinds] = [[] as string[], { read: 0, refused: 0 }]
  let count = 0
  while (!isOver(until) || count < 20) {
    const { name, bytes } = random.of(seeds)
    writeFileSync(path, mutate(bytes, random))
    const began = performance.now()
    try {
      const modality = await media.detect(name, path)
      await media.read(name, path, packs[modality])
      kinds.read++
    } catch (error) {
      kinds.refused++
      const { message } = error as Error
      if (!isSentence(message)) faults.push(`${name}: ${message}`)
    }
    slowest = Math.max(slowest, performance.now() - began)
    const status = pid && existsSync(`/proc/${pid}/status`) ? readFileSync(`/proc/${pid}/status`, "utf8") : ""
    peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0))
    count++
  }
  clearInterval(ticks)
  media.close()
  if (slowest > 35_000) faults.push(`a file took ${Math.round(slowest / 1000)} s`)
  if (blocked > 10_000) faults.push(`the app stood still for ${Math.round(blocked / 1000)} s`)
  if (peak > 1.2 * 2 ** 20) faults.push(`a file took ${Math.round(peak / 1024)} MB`)
  rmSync(work, { recursive: true, force: true })
  const details = `${kinds.read} read, ${kinds.refused} refused in one sentence; slowest ${(slowest / 1000).toFixed(1)} s, at most ${Math.round(peak / 1024)} MB, ${Math.max(0, ends - 1)} processes ended by a file, the app never blocked for more than ${(blocked / 1000).toFixed(1)} s`
  return { what: "hostile files", count, details, faults }
}

/** Messages of a window, mutated, and HTTP that is none. */
export const messages: Part = async (random, until) => {
  const home = folder("messages")
  mkdirSync(join(home, "page"))
  writeFileSync(join(home, "page/index.html"), "<html><head></head></html>")
  const silent = (): ChildPort => ({ send() {}, onMessage() {}, onExit() {}, kill() {} })
  const places = { shipped: parity("."), home, cache: join(home, "cache") }
  const studio = new Studio(places, silent)
  const faults: string[] = []
  const thrown = (error: unknown) => void faults.push(`thrown: ${String(error)}`)
  process.on("uncaughtException", thrown)
  process.on("unhandledRejection", thrown)
  const { address, server } = await serve(studio, join(home, "page"))
  const { port, host } = new URL(address)
  const settings = { pack: "text", length: 10, seed: 1, variations: 1, sampling: defaultSampling, style: 0 }
  const { call, channel } = openWindow(studio)
  const seeds: [method: string, params: object][] = [
    ["open", { name: "\u202eevil\0", pack: "", file: "00000000-0000-4000-8000-000000000000" }],
    ["upload", { file: "pack.json", offset: 0, bytes: Uint8Array.of(1, 2, 3) }],
    ["draft", { text: "\ud800" }],
    ["rename", { id: "x", title: "t".repeat(300) }],
    ["generate", { settings: { ...settings, pack: "../../etc" }, given: new Uint8Array(9) }],
    ["score", { pack: "__proto__", name: "n", bytes: new Uint8Array(1) }],
    ["prefer", { preferences: { pack: "text", threads: 0, device: "auto", library: "/proc/self/x" } }],
    ["export", { id: "..", form: "png" }],
    ["search", { query: "(((" }],
    ["import", {}],
    ["removePack", { name: "../../.." }],
    ["undelete", { ids: ["a"] }],
    ["preview", { ids: ["a"] }],
  ]
  const requests = [
    "GET / HTTP/1.1\r\n\r\n",
    `GET //x HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
    `GET http://[ HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
    `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: -1\r\n\r\n`,
    `GET /?token=${"x".repeat(32)} HTTP/1.1\r\nHost: ${host}\r\nCookie: megabyte-${port}=${"é".repeat(16)}\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n\r\n`,
    "\x16\x03\x01\x02\0",
  ]
  let [count, told] = [0, 0]
  channel.onMessage((message) => {
    const { type, failure } = message as { type: string; failure?: { message: string } }
    if (type !== "event") told++
    if (failure && !isSentence(failure.message)) faults.push(failure.message)
  })
  while (!isOver(until) || count < 50) {
    const [method, params] = random.of(seeds)
    const frame = encodeFrame({ type: "call", id: 1e6 + count, method, params })
    let message: unknown
    try {
      message = decodeFrame(random.below(2) ? frame : mutate(Buffer.from(frame), random))
    } catch {} // the web host would end the connection
    // Nothing is generated here: there is no engine to end it.
    const isRun = /^(generate|score|continue|devices)$/.test(String((message as { method?: unknown } | null)?.method))
    if (!isRun) channel.send(message)
    await call("search", { query: "once" })
    const socket = connect(Number(port), "127.0.0.1")
    socket.on("error", () => {})
    // Half a request is waited for by the server, not by us.
    const closed = new Promise((resolve) => socket.once("close", resolve))
    const enough = globalThis.setTimeout(() => socket.destroy(), 300)
    socket.end(mutate(Buffer.from(random.of(requests), "latin1"), random))
    if (random.below(3) === 0) socket.resetAndDestroy()
    await Promise.race([closed, setTimeout(400)]) // Node does not tell of a reset after an end
    clearTimeout(enough)
    count++
  }
  const alive = await fetch(`http://${host}/`).then(({ status }) => status)
  if (alive !== 403) faults.push(`afterwards the server answers ${alive}`)
  server.closeAllConnections()
  server.close()
  studio.close()
  process.off("uncaughtException", thrown)
  process.off("unhandledRejection", thrown)
  const outside = readdirSync(home).filter(
    (name) => !/^(page|library(-2)?|packs|dropped|cache|logs|preferences\.json|draft\.txt)$/.test(name),
  )
  faults.push(...outside.map((name) => `${name} was written beside the folders`))
  rmSync(home, { recursive: true, force: true })
  return {
    what: "messages of a window and of HTTP",
    count: 2 * count,
    details: `${told} answers`,
    faults: [...new Set(faults)],
  }
}

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
