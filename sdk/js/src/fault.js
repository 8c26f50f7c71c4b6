// Why an event cannot be priced: a sentence for the person who has to put it right.

// The host holds the event, shows the reason, and goes on with the others. Whatever the plugin had already recorded
// for the event is dropped.
export class Fault extends Error {
  constructor(message) {
    super(message || "the plugin gave no reason");
    this.name = "Fault";
  }
}
