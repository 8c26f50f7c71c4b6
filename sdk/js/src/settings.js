// What the author of a tariff may set: fields with their JSON Schema and their reading.
//
// A field without a default must be set, and other fields are refused. No JSON number becomes a decimal.

import { Decimal } from "./decimal.js";

// What is wrong with one value of the settings: a JSON pointer to it, and a sentence.
export class Problem extends Error {
  constructor(pointer, message) {
    super(message);
    this.pointer = pointer;
  }
}

class Field {
  constructor(schema, read, about, rest = {}) {
    Object.assign(this, { schema, read, about, hasDefault: false, ...rest });
  }

  // With a default, the field need not be set.
  default(value) {
    return new Field(this.schema, this.read, this.about, { hasDefault: true, defaultValue: value });
  }

  described() {
    return {
      ...this.schema,
      ...(this.hasDefault ? { default: this.defaultValue } : {}),
      ...(this.about ? { description: this.about } : {}),
    };
  }
}

// A field of one plain JSON type.
function plain(type, article, about) {
  const read = (value, pointer) => {
    const fits = type === "integer" ? Number.isSafeInteger(value) : typeof value === type;
    if (!fits) {
      throw new Problem(pointer, `${article} belongs here`);
    }
    return value;
  };
  return new Field({ type }, read, about);
}

export const setting = {
  decimal(about) {
    const read = (value, pointer) => {
      if (typeof value !== "string") {
        throw new Problem(pointer, 'a decimal in quotation marks belongs here, like "12.50"');
      }
      try {
        return Decimal.parse(value);
      } catch (error) {
        throw new Problem(pointer, error.message);
      }
    };
    return new Field({ type: "string", pattern: "^-?[0-9]{1,29}(\\.[0-9]{1,28})?$" }, read, about);
  },

  text: (about) => plain("string", "a text", about),
  boolean: (about) => plain("boolean", "true or false", about),
  integer: (about) => plain("integer", "an integer", about),

  choice(texts, about) {
    const read = (value, pointer) => {
      if (!texts.includes(value)) {
        throw new Problem(pointer, `one of ${texts.join(", ")} belongs here`);
      }
      return value;
    };
    return new Field({ enum: texts }, read, about);
  },

  list(field, about) {
    const read = (value, pointer) => {
      if (!Array.isArray(value)) {
        throw new Problem(pointer, "a list belongs here");
      }
      return value.map((each, place) => field.read(each, `${pointer}/${place}`));
    };
    return new Field({ type: "array", items: field.described() }, read, about);
  },

  optional(field, about) {
    const read = (value, pointer) => (value === null ? null : field.read(value, pointer));
    return new Field({ anyOf: [field.described(), { type: "null" }] }, read, about);
  },

  object(fields, about) {
    const names = Object.keys(fields);
    const required = names.filter((name) => !fields[name].hasDefault);
    const schema = {
      type: "object",
      additionalProperties: false,
      properties: Object.fromEntries(names.map((name) => [name, fields[name].described()])),
      ...(required.length > 0 ? { required } : {}),
    };
    const read = (value, pointer) => {
      if (typeof value !== "object" || value === null || Array.isArray(value)) {
        throw new Problem(pointer, "an object belongs here");
      }
      for (const name of Object.keys(value)) {
        if (!names.includes(name)) {
          throw new Problem(pointer, `there is no setting \`${name}\`; there are ${names.join(", ")}`);
        }
      }
      const given = (name) => Object.hasOwn(value, name);
      const missing = required.find((name) => !given(name));
      if (missing !== undefined) {
        throw new Problem(pointer, `\`${missing}\` is missing`);
      }
      // A default is written as in the JSON, and read like what is given.
      const read = (name) => fields[name].read(given(name) ? value[name] : fields[name].defaultValue, `${pointer}/${name}`);
      return Object.freeze(Object.fromEntries(names.map((name) => [name, read(name)])));
    };
    return new Field(schema, read, about);
  },
};

// The JSON Schema (draft 2020-12) of the settings, as text.
export function schemaText(settings) {
  return JSON.stringify({ $schema: "https://json-schema.org/draft/2020-12/schema", ...settings.described() });
}

// The settings that a JSON text says; throws a Problem naming the value that does not fit.
export function readSettings(settings, text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Problem("", `the settings are not JSON: ${error.message}`);
  }
  return settings.read(value, "");
}
