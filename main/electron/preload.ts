import { contextBridge, ipcRenderer } from "electron"

/** All that the page gets from Electron: a way to ask for its port, which then arrives as a message. */
contextBridge.exposeInMainWorld("megabyteHost", { connect: () => ipcRenderer.send("connect") })
ipcRenderer.on("port", (event) => window.postMessage("megabyte-port", location.origin, event.ports))
