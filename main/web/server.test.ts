import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { get, type IncomingMessage, type Server } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { WebSocket } from "ws"
import { Studio } from "../host/studio.ts"
import { serve } from "./server.ts"

const work = mkdtempSync(join(tmpdir(), "megabyte-web-"))
let server: Server
let address: URL
let cookie: string

/** Raw, as fetch would not let a test set the Host header. */
const request = (path: string, headers: Record<string, string> = {}) =>
  new Promise<IncomingMessage>((resolve) => get({ host: "127.0.0.1", port: address.port, path, headers }, resolve))
const open = (headers: Record<string, string>) =>
  new Promise<string>((resolve) => {
    const ws = new WebSocket(`ws://${address.host}/`, { headers })
    ws.on("message", (m) => resolve(JSON.parse(String(m)).type))
    ws.on("error", () => resolve("refused"))
  })

beforeAll(async () => {
  writeFileSync(join(work, "index.html"), "<p>app</p>")
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
    expect(first.statusCode).toBe(303)
    cookie = String(first.headers["set-cookie"]?.[0]?.split(";")[0])
    expect(first.headers["set-cookie"]?.[0]).toMatch(/HttpOnly; SameSite=Strict/)
    expect((await request(`/${address.search}`)).statusCode).toBe(403)
  })
  it("serves the app with a strict policy to who holds the cookie", async () => {
    const page = await request("/", { cookie })
    expect(page.statusCode).toBe(200)
    expect(page.headers["content-security-policy"]).toMatch(/default-src 'none'/)
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
  })
  it("answers nonsense with a notice and goes on", async () => {
    const ws = new WebSocket(`ws://${address.host}/`, { headers: { cookie, origin: address.origin } })
    const heard: { type: string }[] = []
    await new Promise<void>((resolve) => {
      ws.on("message", (m) => {
        heard.push(JSON.parse(String(m)))
        if (heard.length === 1) {
          ws.send("{ nonsense")
          ws.send(JSON.stringify({ type: "generate", settings: { length: -1 } }))
          ws.send(JSON.stringify({ type: "read", id: "../../etc" }))
        }
        if (heard.length === 4) resolve()
      })
    })
    ws.close()
    expect(heard.map((e) => e.type)).toEqual(["state", "notice", "notice", "notice"])
  })
})
