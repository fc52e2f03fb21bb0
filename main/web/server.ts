import { createHash, randomBytes, timingSafeEqual } from "node:crypto"
import { existsSync, readFileSync, statSync } from "node:fs"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { extname, join, normalize, sep } from "node:path"
import { type WebSocket, WebSocketServer } from "ws"
import { decodeFrame, encodeFrame } from "../../contract/frames.ts"
import { SOCKET_PROTOCOL, SOCKET_SECRET } from "../../contract/web.ts"
import { detailsOf } from "../host/errors.ts"
import { contentTypes, securityHeaders } from "../host/page.ts"
import type { Studio } from "../host/studio.ts"

/** The largest message a window may send: what is continued. */
const MAX_MESSAGE = 48 * 2 ** 20
/** Bytes that wait for a window that does not read them; beyond it the window is let go, and comes back by itself. */
const MAX_WAITING = 64 * 2 ** 20
/** Connections of all browsers together, and windows among them: far below the files that a process may open. */
const MAX_CONNECTIONS = 64
const MAX_WINDOWS = 16
/** Why a window's connection is ended: "invalid frame payload data" (RFC 6455). */
const NOT_A_MESSAGE = 1007

const secret = () => randomBytes(24).toString("base64url")
/** Compares in a time that tells nothing; hashes have one length whatever was given. */
function same(a: string, b: string): boolean {
  const hash = (text: string) => createHash("sha256").update(text).digest()
  return timingSafeEqual(hash(a), hash(b))
}

/** What opens the app: the address's token, good for one visit, then a cookie for the files and a secret for the socket. */
class Door {
  private token: string | undefined = secret()
  private readonly session = secret()
  readonly socketSecret = secret()
  /** Name and port of the server, once it listens. */
  host = ""

  get address(): string {
    return `http://${this.host}/?token=${this.token}`
  }

  /** The name keeps two running apps apart. */
  private get cookie(): string {
    return `megabyte-${this.host.split(":")[1]}=${this.session}`
  }

  get setCookie(): string {
    return `${this.cookie}; HttpOnly; SameSite=Strict; Path=/`
  }

  /** Whether it is the token's visit, which there is one of. */
  takes(token: string | null): boolean {
    const isFirst = token !== null && this.token !== undefined && same(token, this.token)
    if (isFirst) this.token = undefined
    return isFirst
  }

  admits({ headers }: IncomingMessage): boolean {
    return (headers.cookie ?? "").split(/;\s*/).some((c) => same(c, this.cookie))
  }

  admitsSocket(request: IncomingMessage): boolean {
    const { host, origin } = request.headers
    const [protocol = "", given = ""] = (request.headers["sec-websocket-protocol"] ?? "").split(/,\s*/)
    return (
      host === this.host &&
      origin === `http://${this.host}` &&
      this.admits(request) &&
      protocol === SOCKET_PROTOCOL &&
      same(given, this.socketSecret)
    )
  }
}

/** Answers a request for one of the page's files. */
function answer(door: Door, root: string, request: IncomingMessage, response: ServerResponse): unknown {
  const send = (status: number, type: string, body: string | Uint8Array, headers: Record<string, string> = {}) =>
    response.writeHead(status, { "Content-Type": type, ...securityHeaders, ...headers }).end(body)
  const refuse = (status: number, text: string) => send(status, "text/plain; charset=utf-8", text)
  if (request.headers.host !== door.host) return refuse(403, "Another host.")
  if (request.method !== "GET") return refuse(405, "GET only.")
  const base = `http://${door.host}`
  if (!request.url?.startsWith("/") || !URL.canParse(base + request.url)) return refuse(400, "Not an address.")
  const url = new URL(base + request.url)
  if (url.host !== door.host) return refuse(400, "Not an address.")
  const isFirst = door.takes(url.searchParams.get("token"))
  if (!isFirst && !door.admits(request))
    return refuse(403, "Open the address that the app printed; its token is good for one visit.")
  const file = fileIn(root, url.pathname === "/" ? "/index.html" : url.pathname)
  if (!file) return refuse(404, "Not found.")
  const type = contentTypes[extname(file)] ?? "application/octet-stream"
  if (!isFirst) return send(200, type, readFileSync(file))
  const meta = `<meta name="${SOCKET_SECRET}" content="${door.socketSecret}"></head>`
  return send(200, type, readFileSync(file, "utf8").replace("</head>", meta), { "Set-Cookie": door.setCookie })
}

/**
 * Serves the app to a browser on this machine: 127.0.0.1 only. The address has a token that is good for one visit; that
 * visit gets a cookie, which gives the app's files and nothing else, as browsers send it to every port of this host, and
 * in the page a second secret that opens the socket, which no cookie carries. Requests for another Host (DNS rebinding)
 * and sockets from another Origin are refused.
 * @param root folder of the built renderer
 * @returns the address with its token
 */
export async function serve(studio: Studio, root: string, port = 0): Promise<{ address: string; server: Server }> {
  const door = new Door()
  const server = createServer(
    { headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 5_000, connectionsCheckingInterval: 2_000 },
    (request, response) => {
      try {
        answer(door, root, request, response)
      } catch (error) {
        studio.log.write("an answer over HTTP", detailsOf(error))
        if (!response.headersSent) response.writeHead(500, securityHeaders)
        response.end()
      }
    },
  )
  server.maxConnections = MAX_CONNECTIONS
  // What is not HTTP at all.
  server.on("clientError", (_, socket) => {
    if (socket.writable) socket.end(refusal("400 Bad Request"))
    else socket.destroy()
  })
  serveSockets(server, door, studio)
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(port, "127.0.0.1", resolve)
  })
  server.removeAllListeners("error")
  server.on("error", (error) => studio.log.write("the web server", detailsOf(error)))
  const bound = server.address()
  door.host = `127.0.0.1:${typeof bound === "object" && bound ? bound.port : port}`
  return { address: door.address, server }
}

/** Connects the windows that the door admits. */
function serveSockets(server: Server, door: Door, studio: Studio): void {
  const windows = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE,
    handleProtocols: (protocols) => (protocols.has(SOCKET_PROTOCOL) ? SOCKET_PROTOCOL : false),
  })
  server.on("upgrade", (request, socket, head) => {
    // A browser that is gone resets its connection.
    socket.on("error", () => socket.destroy())
    if (!door.admitsSocket(request)) return socket.end(refusal("403 Forbidden"))
    if (windows.clients.size >= MAX_WINDOWS) return socket.end(refusal("503 Service Unavailable"))
    windows.handleUpgrade(request, socket, head, (window) => connect(studio, window))
  })
}

/** A refusal for a socket that no answer of the server's is for. */
function refusal(status: string): string {
  const headers = Object.entries({ ...securityHeaders, Connection: "close", "Content-Length": "0" })
  return `HTTP/1.1 ${status}\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`
}

/** The file of a path below `root`; undefined where there is none. */
function fileIn(root: string, path: string): string | undefined {
  const file = normalize(join(root, path))
  const inside = file.startsWith(normalize(root + sep)) && extname(file) !== ""
  return inside && existsSync(file) && statSync(file).isFile() ? file : undefined
}

/** Connects a window's socket with the app; what is no message of a window's ends the connection. */
function connect(studio: Studio, window: WebSocket): void {
  const { disconnect } = studio.connect({
    send(message) {
      if (window.readyState !== window.OPEN) return
      if (window.bufferedAmount > MAX_WAITING) return window.terminate()
      window.send(encodeFrame(message), () => {}) // a window that has gone is told by "close"
    },
    onMessage: (listener) =>
      window.on("message", (data, isBinary) => {
        let message: unknown
        try {
          if (!isBinary) return window.close(NOT_A_MESSAGE)
          message = decodeFrame(data as Buffer)
        } catch {
          return window.close(NOT_A_MESSAGE)
        }
        listener(message)
      }),
  })
  window.on("close", disconnect)
  window.on("error", disconnect)
}
