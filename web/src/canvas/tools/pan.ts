/** Moving the view: with the middle button, with the space bar held, or with a finger on blank canvas. */
import type { Camera } from '../camera.svelte'
import { CLICK_DISTANCE, distance, type Gesture, type Pointer } from './gesture'

/** Pans until the release. A pointer that hardly moved has tapped instead. */
export function pan(camera: Camera, start: Pointer, ontap?: (pointer: Pointer) => void): Gesture {
  let last = start.client
  let moved = false
  const origin = camera.view
  return {
    move({ client }) {
      moved ||= distance(client, start.client) > CLICK_DISTANCE
      if (!moved) return
      camera.panBy(last.x - client.x, last.y - client.y)
      last = client
    },
    end(pointer) {
      if (!moved) ontap?.(pointer)
    },
    cancel() {
      camera.restore(origin)
    },
  }
}
