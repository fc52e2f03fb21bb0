import { createRoot } from "react-dom/client"
import type { Command } from "../contract/app.ts"
import { App } from "./App.tsx"
import { applyAppearance } from "./models/ModelsPage.tsx"
import { StudioContext } from "./store/context.ts"
import { connectHost } from "./store/host.ts"
import { createStudio } from "./store/store.ts"
import "./ui/base.css"
import "./home/home.css"
import "./work/work.css"
import "./library/library.css"
import "./settings/settings.css"
import "./models/models.css"

let send: (command: Command) => void = () => {}
const studio = createStudio((command) => send(command))
send = connectHost({ event: studio.actions.receive, disconnected: studio.actions.disconnected })

applyAppearance()
const root = document.getElementById("root")
if (root)
  createRoot(root).render(
    <StudioContext value={studio}>
      <App />
    </StudioContext>,
  )
