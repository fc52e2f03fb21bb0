import react from "@vitejs/plugin-react"
import { defineConfig } from "vite"

/** The renderer: one page, no code from anywhere else. The main side has its own build. */
export default defineConfig({
  root: "renderer",
  base: "./",
  publicDir: "../assets/public",
  plugins: [react()],
  build: { outDir: "../dist/renderer", emptyOutDir: true, chunkSizeWarningLimit: 900 },
})
