import { AppEvent, type Command } from "../../contract/app.ts"

/** What Electron's preload puts into the page; absent in a browser. */
declare global {
  interface Window {
    megabyteHost?: { connect(): void }
  }
}

type Listener = { event(event: AppEvent): void; disconnected(): void }

/** Connects the page with its host, through Electron's port or the web host's socket. Returns how to send. */
export function connectHost(listener: Listener): (command: Command) => void {
  const waiting: Command[] = []
  let deliver: ((command: Command) => void) | undefined
  const opened = (send: (command: Command) => void) => {
    deliver = send
    for (const command of waiting.splice(0)) send(command)
  }

  if (window.megabyteHost) {
    addEventListener("message", ({ data, source, ports }) => {
      const [port] = ports
      if (data !== "megabyte-port" || source !== window || !port) return
      port.onmessage = (message) => listener.event(AppEvent.parse(message.data))
      opened((command) => port.postMessage(command))
    })
    window.megabyteHost.connect()
  } else socket()

  /** The socket comes back by itself after sleep or a restart of the host. */
  function socket(): void {
    const ws = new WebSocket(`ws://${location.host}/`)
    ws.onopen = () => opened((command) => ws.send(JSON.stringify(command)))
    ws.onmessage = (message) => listener.event(AppEvent.parse(JSON.parse(message.data)))
    ws.onclose = () => {
      deliver = undefined
      listener.disconnected()
      setTimeout(socket, 1000)
    }
  }
  return (command) => (deliver ? deliver(command) : void waiting.push(command))
}
