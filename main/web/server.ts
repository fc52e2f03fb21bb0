import { randomBytes, timingSafeEqual } from "node:crypto"
import { existsSync, readFileSync } from "node:fs"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { extname, join, normalize } from "node:path"
import { WebSocketServer } from "ws"
import { contentSecurityPolicy, contentTypes } from "../host/page.ts"
import type { Studio } from "../host/studio.ts"

/** The largest message a window may send: what is gone on from, in base64. */
const MAX_MESSAGE = 48 * 2 ** 20

/**
 * Serves the app to a browser on this machine: 127.0.0.1 only, behind a token that is good for one visit and then
 * becomes a cookie. Requests for another Host (DNS rebinding) and sockets from another Origin are refused.
 * @param root folder of the built renderer
 * @returns the address with its token
 */
export async function serve(studio: Studio, root: string, port = 0): Promise<{ address: string; server: Server }> {
  let token: string | undefined = randomBytes(24).toString("base64url")
  const session = randomBytes(24).toString("base64url")
  let host = ""

  const same = (a: string, b: string) => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
  // Cookies of 127.0.0.1 are shared by all ports: the name keeps two running apps apart.
  const cookie = () => `megabyte-${host.split(":")[1]}`
  const allowed = (request: IncomingMessage) =>
    (request.headers.cookie ?? "").split(/;\s*/).some((c) => same(c, `${cookie()}=${session}`))

  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const refuse = (code: number, text: string) => response.writeHead(code, { "Content-Type": "text/plain" }).end(text)
    if (request.headers.host !== host) return refuse(403, "Another host.")
    if (request.method !== "GET") return refuse(405, "GET only.")
    const url = new URL(request.url ?? "/", `http://${host}`)
    const given = url.searchParams.get("token")
    if (given && token && same(given, token)) {
      token = undefined
      return response
        .writeHead(303, { Location: "/", "Set-Cookie": `${cookie()}=${session}; HttpOnly; SameSite=Strict; Path=/` })
        .end()
    }
    if (!allowed(request))
      return refuse(403, "Open the address that `npm start` printed; its token is good for one visit.")
    const path = normalize(join(root, url.pathname === "/" ? "index.html" : url.pathname))
    if (!path.startsWith(normalize(root)) || !existsSync(path) || !extname(path)) return refuse(404, "Not found.")
    response
      .writeHead(200, {
        "Content-Type": contentTypes[extname(path)] ?? "application/octet-stream",
        "Content-Security-Policy": contentSecurityPolicy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
      })
      .end(readFileSync(path))
  }

  const server = createServer(answer)
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE })
  server.on("upgrade", (request, socket, head) => {
    const ok = request.headers.host === host && request.headers.origin === `http://${host}` && allowed(request)
    if (!ok) return void socket.end("HTTP/1.1 403 Forbidden\r\n\r\n")
    sockets.handleUpgrade(request, socket, head, (ws) => {
      const disconnect = studio.connect((event) => ws.send(JSON.stringify(event)))
      ws.on("message", (data) => {
        let message: unknown
        try {
          message = JSON.parse(String(data))
        } catch {
          message = undefined
        }
        void studio.receive(message, (event) => ws.send(JSON.stringify(event)))
      })
      ws.on("close", disconnect)
      ws.on("error", disconnect)
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(port, "127.0.0.1", resolve)
  })
  const bound = server.address()
  host = `127.0.0.1:${typeof bound === "object" && bound ? bound.port : port}`
  return { address: `http://${host}/?token=${token}`, server }
}
