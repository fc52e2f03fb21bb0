import { contextBridge, ipcRenderer } from "electron"

// The one file of main that runs in a page: what it uses of one.
declare const window: { postMessage(message: string, origin: string, ports: unknown[]): void }
declare const location: { origin: string }

/** All that the page gets from Electron: a way to ask for its port, which then arrives as a message. */
contextBridge.exposeInMainWorld("megabyteHost", { connect: () => ipcRenderer.send("connect") })
ipcRenderer.on("port", (event) => window.postMessage("megabyte-port", location.origin, event.ports))
