import { AppEvent, type Command } from "../../contract/app.ts"
import { decodeFrame, encodeFrame } from "../../contract/frames.ts"
import { SOCKET_PROTOCOL, SOCKET_SECRET } from "../../contract/web.ts"

/** What Electron's preload puts into the page; absent in a browser. */
declare global {
  interface Window {
    megabyteHost?: { connect(): void }
  }
}

type Listener = { event(event: AppEvent): void; disconnected(): void }

/** Connects the page with its host, through Electron's port or the web host's socket. Returns how to send. */
export function connectHost(listener: Listener): (command: Command) => void {
  const secret = socketSecret()
  const waiting: Command[] = []
  let deliver: ((command: Command) => void) | undefined
  /** One event that is not understood costs itself alone. */
  const receive = (data: unknown) => {
    const parsed = AppEvent.safeParse(data)
    if (parsed.success) return listener.event(parsed.data)
    const details = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("\n")
    const text = "The app sent something that this window does not understand; reload the window."
    listener.event({ type: "notice", kind: "problem", text, details: details.slice(0, 2000) })
  }
  const opened = (send: (command: Command) => void) => {
    deliver = send
    for (const command of waiting.splice(0)) send(command)
  }

  if (window.megabyteHost) {
    addEventListener("message", ({ data, source, ports }) => {
      const [port] = ports
      if (data !== "megabyte-port" || source !== window || !port) return
      port.onmessage = (message) => receive(message.data)
      opened((command) => port.postMessage(command))
    })
    window.megabyteHost.connect()
  } else socket()

  /** The socket comes back by itself after sleep or a restart of the host. */
  function socket(): void {
    const ws = new WebSocket(`ws://${location.host}/`, [SOCKET_PROTOCOL, secret])
    ws.binaryType = "arraybuffer"
    ws.onopen = () => opened((command) => ws.send(encodeFrame(command)))
    ws.onmessage = (message) => receive(decodeFrame(new Uint8Array(message.data)))
    ws.onclose = () => {
      deliver = undefined
      listener.disconnected()
      setTimeout(socket, 1000)
    }
  }
  return (command) => (deliver ? deliver(command) : void waiting.push(command))
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
