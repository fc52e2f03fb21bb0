import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { connect } from "node:net"
import { join } from "node:path"
import { setTimeout } from "node:timers/promises"
import { decodeFrame, encodeFrame } from "../../contract/frames.ts"
import { defaultSampling } from "../../contract/sampling.ts"
import { Studio } from "../../main/host/studio.ts"
import type { ChildPort } from "../../main/process/child.ts"
import { serve } from "../../main/web/server.ts"
import { openWindow } from "../support/window.ts"
import { folder, isOver, isSentence, type Part, parity } from "./part.ts"
import { mutate, type Random } from "./random.ts"

const settings = { pack: "text", length: 10, seed: 1, variations: 1, sampling: defaultSampling, style: 0 }
/** Calls of a window, each with something in it that must not be believed. */
const seeds: [method: string, params: object][] = [
  ["open", { name: "\u202eevil\0", pack: "", file: "00000000-0000-4000-8000-000000000000" }],
  ["upload", { file: "pack.json", offset: 0, bytes: Uint8Array.of(1, 2, 3) }],
  ["draft", { text: "\ud800" }],
  ["rename", { id: "x", title: "t".repeat(300) }],
  ["generate", { settings: { ...settings, pack: "../../etc" }, given: new Uint8Array(9) }],
  ["score", { pack: "__proto__", name: "n", given: new Uint8Array(1) }],
  ["prefer", { preferences: { pack: "text", threads: 0, device: "auto", library: "/proc/self/x" } }],
  ["export", { id: "..", form: "png" }],
  ["search", { query: "(((" }],
  ["import", {}],
  ["removePack", { name: "../../.." }],
  ["undelete", { ids: ["a"] }],
  ["preview", { ids: ["a"] }],
]

/** Requests of which the server takes none. */
const requestsTo = (host: string, port: string) => [
  "GET / HTTP/1.1\r\n\r\n",
  `GET //x HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
  `GET http://[ HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
  `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: -1\r\n\r\n`,
  `GET /?token=${"x".repeat(32)} HTTP/1.1\r\nHost: ${host}\r\nCookie: megabyte-${port}=${"é".repeat(16)}\r\n\r\n`,
  `GET / HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n\r\n`,
  "\x16\x03\x01\x02\0",
]

/** Sends a mutated request and hangs up at once, in one way or another. */
async function knock(port: number, request: string, random: Random): Promise<void> {
  const socket = connect(port, "127.0.0.1")
  socket.on("error", () => {})
  // Half a request is waited for by the server, not by us.
  const closed = new Promise((resolve) => socket.once("close", resolve))
  const enough = globalThis.setTimeout(() => socket.destroy(), 300)
  socket.end(mutate(Buffer.from(request, "latin1"), random))
  if (random.below(3) === 0) socket.resetAndDestroy()
  await Promise.race([closed, setTimeout(400)]) // Node does not tell of a reset after an end
  clearTimeout(enough)
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
  const { call, channel } = openWindow(studio)
  const requests = requestsTo(host, port)
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
    await knock(Number(port), random.of(requests), random)
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
