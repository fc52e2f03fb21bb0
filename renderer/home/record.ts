import { writeWav } from "../../contract/wav.ts"

export type Recording = { finish(): Promise<File | undefined> }

/** Begins to record. `finish` ends it and gives a WAV file. @throws where there is no microphone, or none is allowed */
export async function startRecording(): Promise<Recording> {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true })
  const recorder = new MediaRecorder(stream)
  const pieces: Blob[] = []
  recorder.ondataavailable = (e) => pieces.push(e.data)
  recorder.start()
  return {
    async finish() {
      const ended = new Promise((resolve) => recorder.addEventListener("stop", resolve, { once: true }))
      recorder.stop()
      await ended
      for (const track of stream.getTracks()) track.stop()
      const context = new AudioContext()
      try {
        const sound = await context.decodeAudioData(await new Blob(pieces).arrayBuffer())
        return new File([writeWav(sound.getChannelData(0), sound.sampleRate)], "recording.wav")
      } catch {
        return undefined
      } finally {
        await context.close()
      }
    },
  }
}
