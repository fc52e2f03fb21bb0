import { createRoot } from "react-dom/client"
import { AppEvent, type Command } from "../contract/app.ts"
import { App } from "./App.tsx"
import { StudioContext } from "./context.ts"
import { createStudio } from "./store.ts"
import "./styles.css"

/** The host's socket; it comes back by itself after sleep or a restart of the host. */
let socket: WebSocket | undefined
const waiting: Command[] = []
const send = (command: Command) => {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(command))
  else waiting.push(command)
}
const studio = createStudio(send)

function connect(): void {
  socket = new WebSocket(`ws://${location.host}/`)
  socket.onopen = () => {
    for (const command of waiting.splice(0)) send(command)
  }
  socket.onmessage = (message) => studio.actions.receive(AppEvent.parse(JSON.parse(message.data)))
  socket.onclose = () => {
    studio.actions.disconnected()
    setTimeout(connect, 1000)
  }
}
connect()

const root = document.getElementById("root")
if (root)
  createRoot(root).render(
    <StudioContext value={studio}>
      <App />
    </StudioContext>,
  )
