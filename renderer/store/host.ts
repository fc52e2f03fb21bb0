import { CodedError } from "../../contract/errors.ts"
import { decodeFrame, encodeFrame } from "../../contract/frames.ts"
import { type Channel, RpcClient } from "../../contract/rpc.ts"
import { SOCKET_PROTOCOL, SOCKET_SECRET } from "../../contract/web.ts"
import { type AppEvent, type WindowProtocol, windowProtocol } from "../../contract/window.ts"

/** What Electron's preload puts into the page; absent in a browser. */
declare global {
  interface Window {
    megabyteHost?: { connect(): void }
  }
}

/** How the window asks its host. */
export type Host = Pick<RpcClient<WindowProtocol>, "call">

type Listener = { event(event: AppEvent): void; disconnected(): void }
type Client = RpcClient<WindowProtocol>

/** Connects the page with its host, through Electron's port or the web host's socket. What is asked meanwhile waits. */
export function connectHost(listener: Listener): Host {
  let connect: (client: Client) => void
  const connection = () =>
    new Promise<Client>((resolve) => {
      connect = resolve
    })
  let connected = connection()
  const open = (channel: Channel): Client => {
    const client = new RpcClient(channel, windowProtocol, { event: listener.event, invalid })
    connect(client)
    return client
  }
  /** One event that is not understood costs itself alone. */
  const invalid = (issues: string) => {
    const text = "The app sent something that this window does not understand; reload the window."
    listener.event({ type: "notice", kind: "problem", text, details: issues.slice(0, 2000) })
  }
  /** What waits for an answer gets none; what is asked from here on waits for the next connection. */
  const lost = (client: Client | undefined) => {
    client?.close(new CodedError("closed", "The connection to the app was lost."))
    if (client) connected = connection()
    listener.disconnected()
  }
  if (window.megabyteHost) listenForPort(open)
  else openSocket(socketSecret(), open, lost)
  return { call: async (name, params, options) => (await connected).call(name, params, options) }
}

/** The port that Electron's preload hands to the page. */
function listenForPort(open: (channel: Channel) => void): void {
  addEventListener("message", ({ data, source, ports }) => {
    const [port] = ports
    if (data !== "megabyte-port" || source !== window || !port) return
    open({
      send: (message) => port.postMessage(message),
      onMessage: (listener) => {
        port.onmessage = ({ data }) => listener(data)
      },
    })
  })
  window.megabyteHost?.connect()
}

/** The socket comes back by itself after sleep or a restart of the host. */
function openSocket(
  secret: string,
  open: (channel: Channel) => Client,
  lost: (client: Client | undefined) => void,
): void {
  const ws = new WebSocket(`ws://${location.host}/`, [SOCKET_PROTOCOL, secret])
  ws.binaryType = "arraybuffer"
  let client: Client | undefined
  ws.onopen = () => {
    client = open({
      send: (message) => ws.send(encodeFrame(message)),
      onMessage: (listener) => {
        ws.onmessage = ({ data }) => listener(decodeFrame(new Uint8Array(data)))
      },
    })
  }
  ws.onclose = () => {
    lost(client)
    setTimeout(() => openSocket(secret, open, lost), 1000)
  }
}

/**
 * What opens the socket, beside the cookie: the first visit's page has it, and this origin's storage keeps it for reloads
 * and for other windows. The token leaves the address bar.
 */
function socketSecret(): string {
  const given = document.querySelector<HTMLMetaElement>(`meta[name="${SOCKET_SECRET}"]`)?.content
  try {
    if (given) {
      localStorage.setItem(SOCKET_SECRET, given)
      history.replaceState(null, "", "/")
    }
    return given ?? localStorage.getItem(SOCKET_SECRET) ?? "none"
  } catch {
    return given ?? "none" // storage that is switched off: this page alone has it
  }
}
