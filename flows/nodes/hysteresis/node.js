// On above one limit, off below the other, and in between as it was. Sends only when that changes.
let on

function onStart() {
  if (!(config.above >= config.below)) throw new Error('"On above" must not be less than "Off below"')
  on = context.get("on")
  show()
}

function onInput(msg) {
  const value = Number(RED.util.getMessageProperty(msg, config.property))
  if (Number.isNaN(value)) throw new Error(`msg.${config.property} is no number`)
  const before = on
  if (value > config.above) on = true
  if (value < config.below) on = false
  if (on === before) return
  context.set("on", on)
  show()
  msg.payload = on
  return msg
}

function show() {
  if (on === undefined) return
  node.status({ fill: on ? "green" : "grey", shape: "dot", text: on ? "on" : "off" })
}
