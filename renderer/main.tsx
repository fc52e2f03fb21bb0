import { createRoot } from "react-dom/client"
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

const host = connectHost({
  event: (event) => studio.actions.receive(event),
  disconnected: () => studio.actions.disconnected(),
})
const studio = createStudio(host)

applyAppearance()
const root = document.getElementById("root")
if (root)
  createRoot(root).render(
    <StudioContext value={studio}>
      <App />
    </StudioContext>,
  )
