import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { get, type IncomingMessage, type Server } from "node:http"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { WebSocket } from "ws"
import { decodeFrame, encodeFrame } from "../../contract/frames.ts"
import { SOCKET_PROTOCOL, SOCKET_SECRET } from "../../contract/web.ts"
import { Studio } from "../host/studio.ts"
import { serve } from "./server.ts"

const work = mkdtempSync(join(tmpdir(), "megabyte-web-"))
let server: Server
let address: URL
let cookie: string
/** What opens the socket, from the first visit's page. */
let socketSecret = ""

/** Raw, as fetch would not let a test set the Host header. */
const request = (path: string, headers: Record<string, string> = {}) =>
  new Promise<IncomingMessage>((resolve) => get({ host: "127.0.0.1", port: address.port, path, headers }, resolve))
const bodyOf = async (message: IncomingMessage) => {
  let text = ""
  for await (const piece of message) text += piece
  return text
}
/** Raw bytes to the port, and what came back. */
const raw = (bytes: string) =>
  new Promise<string>((resolve) => {
    const socket = connect(Number(address.port), "127.0.0.1")
    let text = ""
    socket.on("data", (data) => {
      text += data
    })
    socket.on("close", () => resolve(text))
    socket.on("error", () => {})
    socket.end(bytes)
  })
/** A message as it came: what an event tells, or an error. */
const heardIn = (data: unknown) => {
  const message = decodeFrame(data as Buffer) as { value?: { type: string }; failure?: { code: string } }
  return message.value?.type ?? message.failure?.code ?? ""
}
const open = (headers: Record<string, string>, secret = socketSecret) =>
  new Promise<string>((resolve) => {
    const ws = new WebSocket(`ws://${address.host}/`, [SOCKET_PROTOCOL, secret], { headers })
    ws.on("message", (m) => resolve(heardIn(m)))
    ws.on("error", () => resolve("refused"))
  })

/** A window's socket, with all that opens it. */
const opened = () =>
  new WebSocket(`ws://${address.host}/`, [SOCKET_PROTOCOL, socketSecret], {
    headers: { cookie, origin: address.origin },
  })

beforeAll(async () => {
  writeFileSync(join(work, "index.html"), "<html><head></head><p>app</p></html>")
  const places = { shipped: join(work, "none"), home: join(work, "home"), cache: join(work, "cache") }
  const studio = new Studio(places, () => {
    throw new Error("no engine in this test")
  })
  const served = await serve(studio, work)
  server = served.server
  address = new URL(served.address)
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
  rmSync(work, { recursive: true, force: true })
})

describe("the web host", () => {
  it("refuses all without the token, and the token's second use", async () => {
    expect((await request("/")).statusCode).toBe(403)
    expect((await request("/?token=wrong")).statusCode).toBe(403)
    const first = await request(`/${address.search}`)
    expect(first.statusCode).toBe(200)
    socketSecret = new RegExp(`name="${SOCKET_SECRET}" content="([\\w-]+)"`).exec(await bodyOf(first))?.[1] ?? ""
    expect(socketSecret.length).toBe(32)
    cookie = String(first.headers["set-cookie"]?.[0]?.split(";")[0])
    expect(first.headers["set-cookie"]?.[0]).toMatch(/HttpOnly; SameSite=Strict/)
    expect((await request(`/${address.search}`)).statusCode).toBe(403)
  })
  it("serves the app with a strict policy to who holds the cookie", async () => {
    const page = await request("/", { cookie })
    expect(page.statusCode).toBe(200)
    // Browsers send the cookie to every server of this host: it must not lead to the socket.
    expect(await bodyOf(page)).not.toContain(SOCKET_SECRET)
    expect(page.headers["content-security-policy"]).toMatch(/default-src 'none'/)
    expect(page.headers["content-security-policy"]).not.toContain("unsafe")
  })
  it("refuses another host, and paths out of its folder", async () => {
    expect((await request("/", { cookie, host: "evil.example" })).statusCode).toBe(403)
    expect((await request("/..%2f..%2fetc/passwd", { cookie })).statusCode).toBe(404)
    expect((await request("/../../../etc/passwd", { cookie })).statusCode).toBe(404)
  })
  it("opens its socket to its own page alone", async () => {
    expect(await open({ cookie, origin: address.origin })).toBe("state")
    expect(await open({ cookie, origin: "http://evil.example" })).toBe("refused")
    expect(await open({ origin: address.origin })).toBe("refused")
    expect(await open({ cookie, origin: address.origin }, "none")).toBe("refused")
  })
  it.each([
    ["two slashes", "GET // HTTP/1.1", 403],
    ["half an address", "GET http://[ HTTP/1.1", 400],
    ["another server's address", "GET http://evil.example/ HTTP/1.1", 400],
    ["a broken escape", "GET /%zz%c0%ae HTTP/1.1", 403],
    ["a word that is none", "BREW / HTTP/1.1", 400],
    ["a token of many bytes", `GET /?token=${"%C3%A9".repeat(16)} HTTP/1.1`, 403],
  ])("answers %s with a refusal and all headers, and goes on", async (_, line, status) => {
    const answer = await raw(`${line}\r\nHost: ${address.host}\r\nConnection: close\r\n\r\n`)
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(answer).toMatch(/content-security-policy: default-src 'none'/i)
    expect(answer).toMatch(/x-content-type-options: nosniff/i)
    expect(answer).toMatch(/cross-origin-resource-policy: same-origin/i)
    expect((await request("/", { cookie })).statusCode).toBe(200)
  })
  it("takes a cookie of equal length and other bytes for a wrong one", async () => {
    expect((await request("/", { cookie: cookie.replace(/=.{2}/, "=\u00e9\u00e9") })).statusCode).toBe(403)
  })
  it("lives on when a refused upgrade is reset, and when hundreds connect and say nothing", async () => {
    const upgrade = `GET / HTTP/1.1\r\nHost: ${address.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n`
    for (let i = 0; i < 20; i++)
      await new Promise<void>((resolve) => {
        const socket = connect(Number(address.port), "127.0.0.1", () => {
          socket.write(upgrade)
          socket.resetAndDestroy()
        })
        socket.on("error", () => {})
        socket.on("close", () => resolve())
      })
    const idle = Array.from({ length: 200 }, () => connect(Number(address.port), "127.0.0.1").on("error", () => {}))
    const count = () => new Promise<number>((resolve) => server.getConnections((_, n) => resolve(n)))
    // Those above the limit are closed again.
    await expect
      .poll(() => idle.filter((socket) => socket.destroyed).length, { timeout: 60_000 })
      .toBeGreaterThanOrEqual(200 - 64)
    expect(await count()).toBeLessThanOrEqual(64)
    for (const socket of idle) socket.destroy()
    await expect.poll(count, { timeout: 60_000 }).toBeLessThan(64)
    expect((await request("/", { cookie })).statusCode).toBe(200)
  })
  it("answers a call that is not in the contract with an error, and goes on", async () => {
    const ws = opened()
    const heard: string[] = []
    await new Promise<void>((resolve) => {
      ws.on("message", (m) => {
        heard.push(heardIn(m))
        if (heard.length === 1) {
          ws.send(encodeFrame("nonsense"))
          ws.send(encodeFrame({ type: "call", id: 1, method: "generate", params: { settings: { length: -1 } } }))
          ws.send(encodeFrame({ type: "call", id: 2, method: "read", params: { id: "../../etc" } }))
          ws.send(encodeFrame({ type: "call", id: 3, method: "search", params: { query: "once" } }))
        }
        if (heard.length === 4) resolve()
      })
    })
    ws.close()
    expect(heard).toEqual(["state", "invalid", "invalid", ""])
  })
  it.each([
    ["text", "{}", 1007],
    ["what is no frame", Buffer.from("{ nonsense"), 1007],
    ["more than a window ever sends", Buffer.alloc(49 * 2 ** 20), 1009],
  ])("ends the connection that brings %s, and no other", async (_, message, code) => {
    const [ws, other] = [opened(), opened()]
    ws.on("open", () => ws.send(message))
    expect(await new Promise((resolve) => ws.on("close", resolve))).toBe(code)
    expect(other.readyState).not.toBe(WebSocket.CLOSED)
    other.close()
  })
})
