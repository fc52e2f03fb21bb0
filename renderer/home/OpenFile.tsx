import { useRef, useState } from "react"
import { useActions } from "../store/context.ts"
import { Icon } from "../ui/Icon.tsx"
import { type Recording, startRecording } from "./record.ts"

/** The keyboard's way to drop files. */
export function OpenFile() {
  const actions = useActions()
  const file = useRef<HTMLInputElement>(null)
  return (
    <>
      <button type="button" className="quiet" onClick={() => file.current?.click()}>
        Open a file…
      </button>
      <input
        ref={file}
        type="file"
        multiple
        hidden
        aria-label="Files to open"
        onChange={(e) => {
          void actions.drop([...(e.target.files ?? [])])
          e.target.value = ""
        }}
      />
    </>
  )
}

/** Records from the microphone, which is asked for only when this is pressed; what was said is opened like a file. */
export function Record() {
  const actions = useActions()
  const [recording, setRecording] = useState<Recording>()
  const begin = () =>
    startRecording()
      .then(setRecording)
      .catch(() => actions.notify("problem", "The microphone may not be used here. Allow it, or drop a recording."))
  const end = async () => {
    setRecording(undefined)
    const file = await recording?.finish()
    if (file) await actions.openFile(file)
  }
  return (
    <button
      type="button"
      className={recording ? "recording" : "quiet"}
      aria-pressed={recording !== undefined}
      onClick={() => void (recording ? end() : begin())}
    >
      <Icon name={recording ? "stop" : "microphone"} filled={recording !== undefined} />{" "}
      {recording ? "Stop recording" : "Record"}
    </button>
  )
}
