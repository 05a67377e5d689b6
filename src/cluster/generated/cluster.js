/*eslint-disable block-scoped-var, id-length, no-control-regex, no-magic-numbers, no-mixed-operators, no-prototype-builtins, no-redeclare, no-shadow, no-var, sort-vars, default-case, jsdoc/require-param*/
import $protobuf from "protobufjs/minimal.js";

// Common aliases
const $Reader = $protobuf.Reader, $Writer = $protobuf.Writer, $util = $protobuf.util;
const $Object = $util.global.Object, $undefined = $util.global.undefined, $Error = $util.global.Error, $RangeError = $util.global.RangeError;

// Exported root namespace
const $root = $protobuf.roots["default"] || ($protobuf.roots["default"] = {});

export const millrace = $root.millrace = (() => {

    /**
     * Namespace millrace.
     * @exports millrace
     * @namespace
     */
    const millrace = {};

    millrace.Empty = (function() {

        /**
         * Properties of an Empty.
         * @typedef {Object} millrace.Empty.$Properties
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of an Empty.
         * @memberof millrace
         * @interface IEmpty
         * @augments millrace.Empty.$Properties
         * @deprecated Use millrace.Empty.$Properties instead.
         */

        /**
         * Shape of an Empty.
         * @typedef {millrace.Empty.$Properties} millrace.Empty.$Shape
         */

        /**
         * Constructs a new Empty.
         * @memberof millrace
         * @classdesc Represents an Empty.
         * @constructor
         * @param {millrace.Empty.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Empty = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * Creates a new Empty instance using the specified properties.
         * @function create
         * @memberof millrace.Empty
         * @static
         * @param {millrace.Empty.$Properties=} [properties] Properties to set
         * @returns {millrace.Empty} Empty instance
         * @type {{
         *   (properties: millrace.Empty.$Shape): millrace.Empty & millrace.Empty.$Shape;
         *   (properties?: millrace.Empty.$Properties): millrace.Empty;
         * }}
         */
        Empty.create = function(properties) {
            return new Empty(properties);
        };

        /**
         * Encodes the specified Empty message. Does not implicitly {@link millrace.Empty.verify|verify} messages.
         * @function encode
         * @memberof millrace.Empty
         * @static
         * @param {millrace.Empty.$Properties} message Empty message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Empty.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes an Empty message from the specified reader or buffer.
         * @function decode
         * @memberof millrace.Empty
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {millrace.Empty & millrace.Empty.$Shape} Empty
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Empty.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.millrace.Empty();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                reader.skipType(tag & 7, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return Empty;
    })();

    millrace.Description = (function() {

        /**
         * Properties of a Description.
         * @typedef {Object} millrace.Description.$Properties
         * @property {string|null} [node] Description node
         * @property {string|null} [instance] Description instance
         * @property {string|null} [address] Description address
         * @property {Array.<string>|null} [clientUrls] Description clientUrls
         * @property {string|null} [version] Description version
         * @property {boolean|null} [jetstream] Description jetstream
         * @property {Array.<string>|null} [tags] Description tags
         * @property {string|null} [metaId] Description metaId
         * @property {number|null} [expectedNodes] Description expectedNodes
         * @property {number|null} [availableFileBytes] Description availableFileBytes
         * @property {number|null} [availableMemoryBytes] Description availableMemoryBytes
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a Description.
         * @memberof millrace
         * @interface IDescription
         * @augments millrace.Description.$Properties
         * @deprecated Use millrace.Description.$Properties instead.
         */

        /**
         * Shape of a Description.
         * @typedef {millrace.Description.$Properties} millrace.Description.$Shape
         */

        /**
         * Constructs a new Description.
         * @memberof millrace
         * @classdesc Represents a Description.
         * @constructor
         * @param {millrace.Description.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Description = function (properties) {
            this.clientUrls = [];
            this.tags = [];
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * Description node.
         * @member {string} node
         * @memberof millrace.Description
         * @instance
         */
        Description.prototype.node = "";

        /**
         * Description instance.
         * @member {string} instance
         * @memberof millrace.Description
         * @instance
         */
        Description.prototype.instance = "";

        /**
         * Description address.
         * @member {string} address
         * @memberof millrace.Description
         * @instance
         */
        Description.prototype.address = "";

        /**
         * Description clientUrls.
         * @member {Array.<string>} clientUrls
         * @memberof millrace.Description
         * @instance
         */
        Description.prototype.clientUrls = $util.emptyArray;

        /**
         * Description version.
         * @member {string} version
         * @memberof millrace.Description
         * @instance
         */
        Description.prototype.version = "";

        /**
         * Description jetstream.
         * @member {boolean} jetstream
         * @memberof millrace.Description
         * @instance
         */
        Description.prototype.jetstream = false;

        /**
         * Description tags.
         * @member {Array.<string>} tags
         * @memberof millrace.Description
         * @instance
         */
        Description.prototype.tags = $util.emptyArray;

        /**
         * Description metaId.
         * @member {string} metaId
         * @memberof millrace.Description
         * @instance
         */
        Description.prototype.metaId = "";

        /**
         * Description expectedNodes.
         * @member {number} expectedNodes
         * @memberof millrace.Description
         * @instance
         */
        Description.prototype.expectedNodes = 0;

        /**
         * Description availableFileBytes.
         * @member {number|null|undefined} availableFileBytes
         * @memberof millrace.Description
         * @instance
         */
        Description.prototype.availableFileBytes = null;

        /**
         * Description availableMemoryBytes.
         * @member {number|null|undefined} availableMemoryBytes
         * @memberof millrace.Description
         * @instance
         */
        Description.prototype.availableMemoryBytes = null;

        // OneOf field names bound to virtual getters and setters
        let $oneOfFields;

        // Virtual OneOf for proto3 optional field
        $Object.defineProperty(Description.prototype, "_availableFileBytes", {
            get: $util.oneOfGetter($oneOfFields = ["availableFileBytes"]),
            set: $util.oneOfSetter($oneOfFields)
        });

        // Virtual OneOf for proto3 optional field
        $Object.defineProperty(Description.prototype, "_availableMemoryBytes", {
            get: $util.oneOfGetter($oneOfFields = ["availableMemoryBytes"]),
            set: $util.oneOfSetter($oneOfFields)
        });

        /**
         * Creates a new Description instance using the specified properties.
         * @function create
         * @memberof millrace.Description
         * @static
         * @param {millrace.Description.$Properties=} [properties] Properties to set
         * @returns {millrace.Description} Description instance
         * @type {{
         *   (properties: millrace.Description.$Shape): millrace.Description & millrace.Description.$Shape;
         *   (properties?: millrace.Description.$Properties): millrace.Description;
         * }}
         */
        Description.create = function(properties) {
            return new Description(properties);
        };

        /**
         * Encodes the specified Description message. Does not implicitly {@link millrace.Description.verify|verify} messages.
         * @function encode
         * @memberof millrace.Description
         * @static
         * @param {millrace.Description.$Properties} message Description message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Description.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.node != null && $Object.hasOwnProperty.call(message, "node") && message.node !== "")
                writer.uint32(/* id 1, wireType 2 =*/10).string(message.node);
            if (message.instance != null && $Object.hasOwnProperty.call(message, "instance") && message.instance !== "")
                writer.uint32(/* id 2, wireType 2 =*/18).string(message.instance);
            if (message.address != null && $Object.hasOwnProperty.call(message, "address") && message.address !== "")
                writer.uint32(/* id 3, wireType 2 =*/26).string(message.address);
            if (message.clientUrls != null && message.clientUrls.length)
                for (let i = 0; i < message.clientUrls.length; ++i)
                    writer.uint32(/* id 4, wireType 2 =*/34).string(message.clientUrls[i]);
            if (message.version != null && $Object.hasOwnProperty.call(message, "version") && message.version !== "")
                writer.uint32(/* id 5, wireType 2 =*/42).string(message.version);
            if (message.jetstream != null && $Object.hasOwnProperty.call(message, "jetstream") && message.jetstream !== false)
                writer.uint32(/* id 6, wireType 0 =*/48).bool(message.jetstream);
            if (message.tags != null && message.tags.length)
                for (let i = 0; i < message.tags.length; ++i)
                    writer.uint32(/* id 7, wireType 2 =*/58).string(message.tags[i]);
            if (message.metaId != null && $Object.hasOwnProperty.call(message, "metaId") && message.metaId !== "")
                writer.uint32(/* id 8, wireType 2 =*/66).string(message.metaId);
            if (message.expectedNodes != null && $Object.hasOwnProperty.call(message, "expectedNodes") && message.expectedNodes !== 0)
                writer.uint32(/* id 9, wireType 0 =*/72).uint32(message.expectedNodes);
            if (message.availableFileBytes != null && $Object.hasOwnProperty.call(message, "availableFileBytes"))
                writer.uint32(/* id 10, wireType 0 =*/80).uint64(message.availableFileBytes);
            if (message.availableMemoryBytes != null && $Object.hasOwnProperty.call(message, "availableMemoryBytes"))
                writer.uint32(/* id 11, wireType 0 =*/88).uint64(message.availableMemoryBytes);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a Description message from the specified reader or buffer.
         * @function decode
         * @memberof millrace.Description
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {millrace.Description & millrace.Description.$Shape} Description
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Description.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.millrace.Description();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.node = value;
                        else
                            delete message.node;
                        continue;
                    }
                case 2: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.instance = value;
                        else
                            delete message.instance;
                        continue;
                    }
                case 3: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.address = value;
                        else
                            delete message.address;
                        continue;
                    }
                case 4: {
                        if (wireType !== 2)
                            break;
                        if (!(message.clientUrls && message.clientUrls.length))
                            message.clientUrls = [];
                        message.clientUrls.push(reader.stringVerify());
                        continue;
                    }
                case 5: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.version = value;
                        else
                            delete message.version;
                        continue;
                    }
                case 6: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.bool())
                            message.jetstream = value;
                        else
                            delete message.jetstream;
                        continue;
                    }
                case 7: {
                        if (wireType !== 2)
                            break;
                        if (!(message.tags && message.tags.length))
                            message.tags = [];
                        message.tags.push(reader.stringVerify());
                        continue;
                    }
                case 8: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.metaId = value;
                        else
                            delete message.metaId;
                        continue;
                    }
                case 9: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.expectedNodes = value;
                        else
                            delete message.expectedNodes;
                        continue;
                    }
                case 10: {
                        if (wireType !== 0)
                            break;
                        message.availableFileBytes = reader.uint64();
                        message._availableFileBytes = "availableFileBytes";
                        continue;
                    }
                case 11: {
                        if (wireType !== 0)
                            break;
                        message.availableMemoryBytes = reader.uint64();
                        message._availableMemoryBytes = "availableMemoryBytes";
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return Description;
    })();

    millrace.Hello = (function() {

        /**
         * Properties of a Hello.
         * @typedef {Object} millrace.Hello.$Properties
         * @property {number|null} [protocol] Hello protocol
         * @property {number|null} [oldestProtocol] Hello oldestProtocol
         * @property {string|null} [cluster] Hello cluster
         * @property {string|null} [secret] Hello secret
         * @property {millrace.Description.$Properties|null} [from] Hello from
         * @property {string|null} [to] Hello to
         * @property {number|null} [link] Hello link
         * @property {number|null} [session] Hello session
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a Hello.
         * @memberof millrace
         * @interface IHello
         * @augments millrace.Hello.$Properties
         * @deprecated Use millrace.Hello.$Properties instead.
         */

        /**
         * Shape of a Hello.
         * @typedef {millrace.Hello.$Properties} millrace.Hello.$Shape
         */

        /**
         * Constructs a new Hello.
         * @memberof millrace
         * @classdesc Represents a Hello.
         * @constructor
         * @param {millrace.Hello.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Hello = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * Hello protocol.
         * @member {number} protocol
         * @memberof millrace.Hello
         * @instance
         */
        Hello.prototype.protocol = 0;

        /**
         * Hello oldestProtocol.
         * @member {number} oldestProtocol
         * @memberof millrace.Hello
         * @instance
         */
        Hello.prototype.oldestProtocol = 0;

        /**
         * Hello cluster.
         * @member {string} cluster
         * @memberof millrace.Hello
         * @instance
         */
        Hello.prototype.cluster = "";

        /**
         * Hello secret.
         * @member {string} secret
         * @memberof millrace.Hello
         * @instance
         */
        Hello.prototype.secret = "";

        /**
         * Hello from.
         * @member {millrace.Description.$Properties|null|undefined} from
         * @memberof millrace.Hello
         * @instance
         */
        Hello.prototype.from = null;

        /**
         * Hello to.
         * @member {string} to
         * @memberof millrace.Hello
         * @instance
         */
        Hello.prototype.to = "";

        /**
         * Hello link.
         * @member {number} link
         * @memberof millrace.Hello
         * @instance
         */
        Hello.prototype.link = 0;

        /**
         * Hello session.
         * @member {number} session
         * @memberof millrace.Hello
         * @instance
         */
        Hello.prototype.session = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Creates a new Hello instance using the specified properties.
         * @function create
         * @memberof millrace.Hello
         * @static
         * @param {millrace.Hello.$Properties=} [properties] Properties to set
         * @returns {millrace.Hello} Hello instance
         * @type {{
         *   (properties: millrace.Hello.$Shape): millrace.Hello & millrace.Hello.$Shape;
         *   (properties?: millrace.Hello.$Properties): millrace.Hello;
         * }}
         */
        Hello.create = function(properties) {
            return new Hello(properties);
        };

        /**
         * Encodes the specified Hello message. Does not implicitly {@link millrace.Hello.verify|verify} messages.
         * @function encode
         * @memberof millrace.Hello
         * @static
         * @param {millrace.Hello.$Properties} message Hello message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Hello.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.protocol != null && $Object.hasOwnProperty.call(message, "protocol") && message.protocol !== 0)
                writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.protocol);
            if (message.cluster != null && $Object.hasOwnProperty.call(message, "cluster") && message.cluster !== "")
                writer.uint32(/* id 2, wireType 2 =*/18).string(message.cluster);
            if (message.secret != null && $Object.hasOwnProperty.call(message, "secret") && message.secret !== "")
                writer.uint32(/* id 3, wireType 2 =*/26).string(message.secret);
            if (message.from != null && $Object.hasOwnProperty.call(message, "from"))
                $root.millrace.Description.encode(message.from, writer.uint32(/* id 4, wireType 2 =*/34).fork(), _depth + 1).ldelim();
            if (message.to != null && $Object.hasOwnProperty.call(message, "to") && message.to !== "")
                writer.uint32(/* id 5, wireType 2 =*/42).string(message.to);
            if (message.link != null && $Object.hasOwnProperty.call(message, "link") && message.link !== 0)
                writer.uint32(/* id 6, wireType 0 =*/48).uint32(message.link);
            if (message.session != null && $Object.hasOwnProperty.call(message, "session") && (typeof message.session === "object" ? message.session.low || message.session.high : message.session !== 0))
                writer.uint32(/* id 7, wireType 0 =*/56).uint64(message.session);
            if (message.oldestProtocol != null && $Object.hasOwnProperty.call(message, "oldestProtocol") && message.oldestProtocol !== 0)
                writer.uint32(/* id 8, wireType 0 =*/64).uint32(message.oldestProtocol);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a Hello message from the specified reader or buffer.
         * @function decode
         * @memberof millrace.Hello
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {millrace.Hello & millrace.Hello.$Shape} Hello
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Hello.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.millrace.Hello();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.protocol = value;
                        else
                            delete message.protocol;
                        continue;
                    }
                case 8: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.oldestProtocol = value;
                        else
                            delete message.oldestProtocol;
                        continue;
                    }
                case 2: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.cluster = value;
                        else
                            delete message.cluster;
                        continue;
                    }
                case 3: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.secret = value;
                        else
                            delete message.secret;
                        continue;
                    }
                case 4: {
                        if (wireType !== 2)
                            break;
                        message.from = $root.millrace.Description.decode(reader, reader.size(), $undefined, _depth + 1, message.from);
                        continue;
                    }
                case 5: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.to = value;
                        else
                            delete message.to;
                        continue;
                    }
                case 6: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.link = value;
                        else
                            delete message.link;
                        continue;
                    }
                case 7: {
                        if (wireType !== 0)
                            break;
                        if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                            message.session = value;
                        else
                            delete message.session;
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return Hello;
    })();

    millrace.Nodes = (function() {

        /**
         * Properties of a Nodes.
         * @typedef {Object} millrace.Nodes.$Properties
         * @property {Array.<millrace.Description.$Properties>|null} [nodes] Nodes nodes
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a Nodes.
         * @memberof millrace
         * @interface INodes
         * @augments millrace.Nodes.$Properties
         * @deprecated Use millrace.Nodes.$Properties instead.
         */

        /**
         * Shape of a Nodes.
         * @typedef {millrace.Nodes.$Properties} millrace.Nodes.$Shape
         */

        /**
         * Constructs a new Nodes.
         * @memberof millrace
         * @classdesc Represents a Nodes.
         * @constructor
         * @param {millrace.Nodes.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Nodes = function (properties) {
            this.nodes = [];
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * Nodes nodes.
         * @member {Array.<millrace.Description.$Properties>} nodes
         * @memberof millrace.Nodes
         * @instance
         */
        Nodes.prototype.nodes = $util.emptyArray;

        /**
         * Creates a new Nodes instance using the specified properties.
         * @function create
         * @memberof millrace.Nodes
         * @static
         * @param {millrace.Nodes.$Properties=} [properties] Properties to set
         * @returns {millrace.Nodes} Nodes instance
         * @type {{
         *   (properties: millrace.Nodes.$Shape): millrace.Nodes & millrace.Nodes.$Shape;
         *   (properties?: millrace.Nodes.$Properties): millrace.Nodes;
         * }}
         */
        Nodes.create = function(properties) {
            return new Nodes(properties);
        };

        /**
         * Encodes the specified Nodes message. Does not implicitly {@link millrace.Nodes.verify|verify} messages.
         * @function encode
         * @memberof millrace.Nodes
         * @static
         * @param {millrace.Nodes.$Properties} message Nodes message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Nodes.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.nodes != null && message.nodes.length)
                for (let i = 0; i < message.nodes.length; ++i)
                    $root.millrace.Description.encode(message.nodes[i], writer.uint32(/* id 1, wireType 2 =*/10).fork(), _depth + 1).ldelim();
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a Nodes message from the specified reader or buffer.
         * @function decode
         * @memberof millrace.Nodes
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {millrace.Nodes & millrace.Nodes.$Shape} Nodes
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Nodes.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.millrace.Nodes();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 2)
                            break;
                        if (!(message.nodes && message.nodes.length))
                            message.nodes = [];
                        message.nodes.push($root.millrace.Description.decode(reader, reader.size(), $undefined, _depth + 1));
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return Nodes;
    })();

    millrace.Packet = (function() {

        /**
         * Properties of a Packet.
         * @typedef {Object} millrace.Packet.$Properties
         * @property {Array.<millrace.Frame.$Properties>|null} [frames] Packet frames
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a Packet.
         * @memberof millrace
         * @interface IPacket
         * @augments millrace.Packet.$Properties
         * @deprecated Use millrace.Packet.$Properties instead.
         */

        /**
         * Shape of a Packet.
         * @typedef {millrace.Packet.$Properties} millrace.Packet.$Shape
         */

        /**
         * Constructs a new Packet.
         * @memberof millrace
         * @classdesc Represents a Packet.
         * @constructor
         * @param {millrace.Packet.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Packet = function (properties) {
            this.frames = [];
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * Packet frames.
         * @member {Array.<millrace.Frame.$Properties>} frames
         * @memberof millrace.Packet
         * @instance
         */
        Packet.prototype.frames = $util.emptyArray;

        /**
         * Creates a new Packet instance using the specified properties.
         * @function create
         * @memberof millrace.Packet
         * @static
         * @param {millrace.Packet.$Properties=} [properties] Properties to set
         * @returns {millrace.Packet} Packet instance
         * @type {{
         *   (properties: millrace.Packet.$Shape): millrace.Packet & millrace.Packet.$Shape;
         *   (properties?: millrace.Packet.$Properties): millrace.Packet;
         * }}
         */
        Packet.create = function(properties) {
            return new Packet(properties);
        };

        /**
         * Encodes the specified Packet message. Does not implicitly {@link millrace.Packet.verify|verify} messages.
         * @function encode
         * @memberof millrace.Packet
         * @static
         * @param {millrace.Packet.$Properties} message Packet message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Packet.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.frames != null && message.frames.length)
                for (let i = 0; i < message.frames.length; ++i)
                    $root.millrace.Frame.encode(message.frames[i], writer.uint32(/* id 1, wireType 2 =*/10).fork(), _depth + 1).ldelim();
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a Packet message from the specified reader or buffer.
         * @function decode
         * @memberof millrace.Packet
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {millrace.Packet & millrace.Packet.$Shape} Packet
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Packet.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.millrace.Packet();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 2)
                            break;
                        if (!(message.frames && message.frames.length))
                            message.frames = [];
                        message.frames.push($root.millrace.Frame.decode(reader, reader.size(), $undefined, _depth + 1));
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return Packet;
    })();

    millrace.Frame = (function() {

        /**
         * Properties of a Frame.
         * @typedef {Object} millrace.Frame.$Properties
         * @property {number|null} [kind] Frame kind
         * @property {Uint8Array|null} [body] Frame body
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a Frame.
         * @memberof millrace
         * @interface IFrame
         * @augments millrace.Frame.$Properties
         * @deprecated Use millrace.Frame.$Properties instead.
         */

        /**
         * Shape of a Frame.
         * @typedef {millrace.Frame.$Properties} millrace.Frame.$Shape
         */

        /**
         * Constructs a new Frame.
         * @memberof millrace
         * @classdesc Represents a Frame.
         * @constructor
         * @param {millrace.Frame.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Frame = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * Frame kind.
         * @member {number} kind
         * @memberof millrace.Frame
         * @instance
         */
        Frame.prototype.kind = 0;

        /**
         * Frame body.
         * @member {Uint8Array} body
         * @memberof millrace.Frame
         * @instance
         */
        Frame.prototype.body = $util.newBuffer([]);

        /**
         * Creates a new Frame instance using the specified properties.
         * @function create
         * @memberof millrace.Frame
         * @static
         * @param {millrace.Frame.$Properties=} [properties] Properties to set
         * @returns {millrace.Frame} Frame instance
         * @type {{
         *   (properties: millrace.Frame.$Shape): millrace.Frame & millrace.Frame.$Shape;
         *   (properties?: millrace.Frame.$Properties): millrace.Frame;
         * }}
         */
        Frame.create = function(properties) {
            return new Frame(properties);
        };

        /**
         * Encodes the specified Frame message. Does not implicitly {@link millrace.Frame.verify|verify} messages.
         * @function encode
         * @memberof millrace.Frame
         * @static
         * @param {millrace.Frame.$Properties} message Frame message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Frame.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.kind != null && $Object.hasOwnProperty.call(message, "kind") && message.kind !== 0)
                writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.kind);
            if (message.body != null && $Object.hasOwnProperty.call(message, "body") && message.body.length)
                writer.uint32(/* id 2, wireType 2 =*/18).bytes(message.body);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a Frame message from the specified reader or buffer.
         * @function decode
         * @memberof millrace.Frame
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {millrace.Frame & millrace.Frame.$Shape} Frame
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Frame.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.millrace.Frame();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.kind = value;
                        else
                            delete message.kind;
                        continue;
                    }
                case 2: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.bytes()).length)
                            message.body = value;
                        else
                            delete message.body;
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return Frame;
    })();

    millrace.InterestUpdate = (function() {

        /**
         * Properties of an InterestUpdate.
         * @typedef {Object} millrace.InterestUpdate.$Properties
         * @property {Array.<millrace.InterestUpdate.Interest.$Properties>|null} [interests] InterestUpdate interests
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of an InterestUpdate.
         * @memberof millrace
         * @interface IInterestUpdate
         * @augments millrace.InterestUpdate.$Properties
         * @deprecated Use millrace.InterestUpdate.$Properties instead.
         */

        /**
         * Shape of an InterestUpdate.
         * @typedef {millrace.InterestUpdate.$Properties} millrace.InterestUpdate.$Shape
         */

        /**
         * Constructs a new InterestUpdate.
         * @memberof millrace
         * @classdesc Represents an InterestUpdate.
         * @constructor
         * @param {millrace.InterestUpdate.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const InterestUpdate = function (properties) {
            this.interests = [];
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * InterestUpdate interests.
         * @member {Array.<millrace.InterestUpdate.Interest.$Properties>} interests
         * @memberof millrace.InterestUpdate
         * @instance
         */
        InterestUpdate.prototype.interests = $util.emptyArray;

        /**
         * Creates a new InterestUpdate instance using the specified properties.
         * @function create
         * @memberof millrace.InterestUpdate
         * @static
         * @param {millrace.InterestUpdate.$Properties=} [properties] Properties to set
         * @returns {millrace.InterestUpdate} InterestUpdate instance
         * @type {{
         *   (properties: millrace.InterestUpdate.$Shape): millrace.InterestUpdate & millrace.InterestUpdate.$Shape;
         *   (properties?: millrace.InterestUpdate.$Properties): millrace.InterestUpdate;
         * }}
         */
        InterestUpdate.create = function(properties) {
            return new InterestUpdate(properties);
        };

        /**
         * Encodes the specified InterestUpdate message. Does not implicitly {@link millrace.InterestUpdate.verify|verify} messages.
         * @function encode
         * @memberof millrace.InterestUpdate
         * @static
         * @param {millrace.InterestUpdate.$Properties} message InterestUpdate message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        InterestUpdate.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.interests != null && message.interests.length)
                for (let i = 0; i < message.interests.length; ++i)
                    $root.millrace.InterestUpdate.Interest.encode(message.interests[i], writer.uint32(/* id 1, wireType 2 =*/10).fork(), _depth + 1).ldelim();
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes an InterestUpdate message from the specified reader or buffer.
         * @function decode
         * @memberof millrace.InterestUpdate
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {millrace.InterestUpdate & millrace.InterestUpdate.$Shape} InterestUpdate
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        InterestUpdate.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.millrace.InterestUpdate();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 2)
                            break;
                        if (!(message.interests && message.interests.length))
                            message.interests = [];
                        message.interests.push($root.millrace.InterestUpdate.Interest.decode(reader, reader.size(), $undefined, _depth + 1));
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        InterestUpdate.Interest = (function() {

            /**
             * Properties of an Interest.
             * @typedef {Object} millrace.InterestUpdate.Interest.$Properties
             * @property {string|null} [account] Interest account
             * @property {string|null} [subject] Interest subject
             * @property {string|null} [queue] Interest queue
             * @property {number|null} [members] Interest members
             * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
             */

            /**
             * Properties of an Interest.
             * @memberof millrace.InterestUpdate
             * @interface IInterest
             * @augments millrace.InterestUpdate.Interest.$Properties
             * @deprecated Use millrace.InterestUpdate.Interest.$Properties instead.
             */

            /**
             * Shape of an Interest.
             * @typedef {millrace.InterestUpdate.Interest.$Properties} millrace.InterestUpdate.Interest.$Shape
             */

            /**
             * Constructs a new Interest.
             * @memberof millrace.InterestUpdate
             * @classdesc Represents an Interest.
             * @constructor
             * @param {millrace.InterestUpdate.Interest.$Properties=} [properties] Properties to set
             * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
             */
            const Interest = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            /**
             * Interest account.
             * @member {string} account
             * @memberof millrace.InterestUpdate.Interest
             * @instance
             */
            Interest.prototype.account = "";

            /**
             * Interest subject.
             * @member {string} subject
             * @memberof millrace.InterestUpdate.Interest
             * @instance
             */
            Interest.prototype.subject = "";

            /**
             * Interest queue.
             * @member {string|null|undefined} queue
             * @memberof millrace.InterestUpdate.Interest
             * @instance
             */
            Interest.prototype.queue = null;

            /**
             * Interest members.
             * @member {number} members
             * @memberof millrace.InterestUpdate.Interest
             * @instance
             */
            Interest.prototype.members = 0;

            // OneOf field names bound to virtual getters and setters
            let $oneOfFields;

            // Virtual OneOf for proto3 optional field
            $Object.defineProperty(Interest.prototype, "_queue", {
                get: $util.oneOfGetter($oneOfFields = ["queue"]),
                set: $util.oneOfSetter($oneOfFields)
            });

            /**
             * Creates a new Interest instance using the specified properties.
             * @function create
             * @memberof millrace.InterestUpdate.Interest
             * @static
             * @param {millrace.InterestUpdate.Interest.$Properties=} [properties] Properties to set
             * @returns {millrace.InterestUpdate.Interest} Interest instance
             * @type {{
             *   (properties: millrace.InterestUpdate.Interest.$Shape): millrace.InterestUpdate.Interest & millrace.InterestUpdate.Interest.$Shape;
             *   (properties?: millrace.InterestUpdate.Interest.$Properties): millrace.InterestUpdate.Interest;
             * }}
             */
            Interest.create = function(properties) {
                return new Interest(properties);
            };

            /**
             * Encodes the specified Interest message. Does not implicitly {@link millrace.InterestUpdate.Interest.verify|verify} messages.
             * @function encode
             * @memberof millrace.InterestUpdate.Interest
             * @static
             * @param {millrace.InterestUpdate.Interest.$Properties} message Interest message or plain object to encode
             * @param {$protobuf.Writer} [writer] Writer to encode to
             * @returns {$protobuf.Writer} Writer
             */
            Interest.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.account != null && $Object.hasOwnProperty.call(message, "account") && message.account !== "")
                    writer.uint32(/* id 1, wireType 2 =*/10).string(message.account);
                if (message.subject != null && $Object.hasOwnProperty.call(message, "subject") && message.subject !== "")
                    writer.uint32(/* id 2, wireType 2 =*/18).string(message.subject);
                if (message.queue != null && $Object.hasOwnProperty.call(message, "queue"))
                    writer.uint32(/* id 3, wireType 2 =*/26).string(message.queue);
                if (message.members != null && $Object.hasOwnProperty.call(message, "members") && message.members !== 0)
                    writer.uint32(/* id 4, wireType 0 =*/32).uint32(message.members);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            /**
             * Decodes an Interest message from the specified reader or buffer.
             * @function decode
             * @memberof millrace.InterestUpdate.Interest
             * @static
             * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
             * @param {number} [length] Message length if known beforehand
             * @returns {millrace.InterestUpdate.Interest & millrace.InterestUpdate.Interest.$Shape} Interest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            Interest.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.millrace.InterestUpdate.Interest();
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.account = value;
                            else
                                delete message.account;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.subject = value;
                            else
                                delete message.subject;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            message.queue = reader.stringVerify();
                            message._queue = "queue";
                            continue;
                        }
                    case 4: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.uint32())
                                message.members = value;
                            else
                                delete message.members;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            return Interest;
        })();

        return InterestUpdate;
    })();

    millrace.Leaderships = (function() {

        /**
         * Properties of a Leaderships.
         * @typedef {Object} millrace.Leaderships.$Properties
         * @property {boolean|null} [complete] Leaderships complete
         * @property {Array.<number>|null} [groups] Leaderships groups
         * @property {Array.<number>|null} [terms] Leaderships terms
         * @property {Array.<boolean>|null} [leading] Leaderships leading
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a Leaderships.
         * @memberof millrace
         * @interface ILeaderships
         * @augments millrace.Leaderships.$Properties
         * @deprecated Use millrace.Leaderships.$Properties instead.
         */

        /**
         * Shape of a Leaderships.
         * @typedef {millrace.Leaderships.$Properties} millrace.Leaderships.$Shape
         */

        /**
         * Constructs a new Leaderships.
         * @memberof millrace
         * @classdesc Represents a Leaderships.
         * @constructor
         * @param {millrace.Leaderships.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Leaderships = function (properties) {
            this.groups = [];
            this.terms = [];
            this.leading = [];
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * Leaderships complete.
         * @member {boolean} complete
         * @memberof millrace.Leaderships
         * @instance
         */
        Leaderships.prototype.complete = false;

        /**
         * Leaderships groups.
         * @member {Array.<number>} groups
         * @memberof millrace.Leaderships
         * @instance
         */
        Leaderships.prototype.groups = $util.emptyArray;

        /**
         * Leaderships terms.
         * @member {Array.<number>} terms
         * @memberof millrace.Leaderships
         * @instance
         */
        Leaderships.prototype.terms = $util.emptyArray;

        /**
         * Leaderships leading.
         * @member {Array.<boolean>} leading
         * @memberof millrace.Leaderships
         * @instance
         */
        Leaderships.prototype.leading = $util.emptyArray;

        /**
         * Creates a new Leaderships instance using the specified properties.
         * @function create
         * @memberof millrace.Leaderships
         * @static
         * @param {millrace.Leaderships.$Properties=} [properties] Properties to set
         * @returns {millrace.Leaderships} Leaderships instance
         * @type {{
         *   (properties: millrace.Leaderships.$Shape): millrace.Leaderships & millrace.Leaderships.$Shape;
         *   (properties?: millrace.Leaderships.$Properties): millrace.Leaderships;
         * }}
         */
        Leaderships.create = function(properties) {
            return new Leaderships(properties);
        };

        /**
         * Encodes the specified Leaderships message. Does not implicitly {@link millrace.Leaderships.verify|verify} messages.
         * @function encode
         * @memberof millrace.Leaderships
         * @static
         * @param {millrace.Leaderships.$Properties} message Leaderships message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Leaderships.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.complete != null && $Object.hasOwnProperty.call(message, "complete") && message.complete !== false)
                writer.uint32(/* id 1, wireType 0 =*/8).bool(message.complete);
            if (message.groups != null && message.groups.length)
                writer.uint32(/* id 2, wireType 2 =*/18).uint64s(message.groups);
            if (message.terms != null && message.terms.length)
                writer.uint32(/* id 3, wireType 2 =*/26).uint64s(message.terms);
            if (message.leading != null && message.leading.length)
                writer.uint32(/* id 4, wireType 2 =*/34).bools(message.leading);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a Leaderships message from the specified reader or buffer.
         * @function decode
         * @memberof millrace.Leaderships
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {millrace.Leaderships & millrace.Leaderships.$Shape} Leaderships
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Leaderships.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.millrace.Leaderships();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.bool())
                            message.complete = value;
                        else
                            delete message.complete;
                        continue;
                    }
                case 2: {
                        if (wireType === 2) {
                            if (!(message.groups && message.groups.length))
                                message.groups = [];
                            reader.uint64s(message.groups);
                            continue;
                        }
                        if (wireType !== 0)
                            break;
                        if (!(message.groups && message.groups.length))
                            message.groups = [];
                        message.groups.push(reader.uint64());
                        continue;
                    }
                case 3: {
                        if (wireType === 2) {
                            if (!(message.terms && message.terms.length))
                                message.terms = [];
                            reader.uint64s(message.terms);
                            continue;
                        }
                        if (wireType !== 0)
                            break;
                        if (!(message.terms && message.terms.length))
                            message.terms = [];
                        message.terms.push(reader.uint64());
                        continue;
                    }
                case 4: {
                        if (wireType === 2) {
                            if (!(message.leading && message.leading.length))
                                message.leading = [];
                            reader.bools(message.leading);
                            continue;
                        }
                        if (wireType !== 0)
                            break;
                        if (!(message.leading && message.leading.length))
                            message.leading = [];
                        message.leading.push(reader.bool());
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return Leaderships;
    })();

    millrace.Request = (function() {

        /**
         * Properties of a Request.
         * @typedef {Object} millrace.Request.$Properties
         * @property {number|null} [id] Request id
         * @property {string|null} [service] Request service
         * @property {Uint8Array|null} [body] Request body
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a Request.
         * @memberof millrace
         * @interface IRequest
         * @augments millrace.Request.$Properties
         * @deprecated Use millrace.Request.$Properties instead.
         */

        /**
         * Shape of a Request.
         * @typedef {millrace.Request.$Properties} millrace.Request.$Shape
         */

        /**
         * Constructs a new Request.
         * @memberof millrace
         * @classdesc Represents a Request.
         * @constructor
         * @param {millrace.Request.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Request = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * Request id.
         * @member {number} id
         * @memberof millrace.Request
         * @instance
         */
        Request.prototype.id = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Request service.
         * @member {string} service
         * @memberof millrace.Request
         * @instance
         */
        Request.prototype.service = "";

        /**
         * Request body.
         * @member {Uint8Array} body
         * @memberof millrace.Request
         * @instance
         */
        Request.prototype.body = $util.newBuffer([]);

        /**
         * Creates a new Request instance using the specified properties.
         * @function create
         * @memberof millrace.Request
         * @static
         * @param {millrace.Request.$Properties=} [properties] Properties to set
         * @returns {millrace.Request} Request instance
         * @type {{
         *   (properties: millrace.Request.$Shape): millrace.Request & millrace.Request.$Shape;
         *   (properties?: millrace.Request.$Properties): millrace.Request;
         * }}
         */
        Request.create = function(properties) {
            return new Request(properties);
        };

        /**
         * Encodes the specified Request message. Does not implicitly {@link millrace.Request.verify|verify} messages.
         * @function encode
         * @memberof millrace.Request
         * @static
         * @param {millrace.Request.$Properties} message Request message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Request.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.id != null && $Object.hasOwnProperty.call(message, "id") && (typeof message.id === "object" ? message.id.low || message.id.high : message.id !== 0))
                writer.uint32(/* id 1, wireType 0 =*/8).uint64(message.id);
            if (message.service != null && $Object.hasOwnProperty.call(message, "service") && message.service !== "")
                writer.uint32(/* id 2, wireType 2 =*/18).string(message.service);
            if (message.body != null && $Object.hasOwnProperty.call(message, "body") && message.body.length)
                writer.uint32(/* id 3, wireType 2 =*/26).bytes(message.body);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a Request message from the specified reader or buffer.
         * @function decode
         * @memberof millrace.Request
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {millrace.Request & millrace.Request.$Shape} Request
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Request.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.millrace.Request();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 0)
                            break;
                        if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                            message.id = value;
                        else
                            delete message.id;
                        continue;
                    }
                case 2: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.service = value;
                        else
                            delete message.service;
                        continue;
                    }
                case 3: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.bytes()).length)
                            message.body = value;
                        else
                            delete message.body;
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return Request;
    })();

    millrace.Reply = (function() {

        /**
         * Properties of a Reply.
         * @typedef {Object} millrace.Reply.$Properties
         * @property {number|null} [id] Reply id
         * @property {millrace.Reply.Outcome|null} [outcome] Reply outcome
         * @property {Uint8Array|null} [body] Reply body
         * @property {string|null} [reason] Reply reason
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a Reply.
         * @memberof millrace
         * @interface IReply
         * @augments millrace.Reply.$Properties
         * @deprecated Use millrace.Reply.$Properties instead.
         */

        /**
         * Shape of a Reply.
         * @typedef {millrace.Reply.$Properties} millrace.Reply.$Shape
         */

        /**
         * Constructs a new Reply.
         * @memberof millrace
         * @classdesc Represents a Reply.
         * @constructor
         * @param {millrace.Reply.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Reply = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * Reply id.
         * @member {number} id
         * @memberof millrace.Reply
         * @instance
         */
        Reply.prototype.id = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

        /**
         * Reply outcome.
         * @member {millrace.Reply.Outcome} outcome
         * @memberof millrace.Reply
         * @instance
         */
        Reply.prototype.outcome = 0;

        /**
         * Reply body.
         * @member {Uint8Array} body
         * @memberof millrace.Reply
         * @instance
         */
        Reply.prototype.body = $util.newBuffer([]);

        /**
         * Reply reason.
         * @member {string} reason
         * @memberof millrace.Reply
         * @instance
         */
        Reply.prototype.reason = "";

        /**
         * Creates a new Reply instance using the specified properties.
         * @function create
         * @memberof millrace.Reply
         * @static
         * @param {millrace.Reply.$Properties=} [properties] Properties to set
         * @returns {millrace.Reply} Reply instance
         * @type {{
         *   (properties: millrace.Reply.$Shape): millrace.Reply & millrace.Reply.$Shape;
         *   (properties?: millrace.Reply.$Properties): millrace.Reply;
         * }}
         */
        Reply.create = function(properties) {
            return new Reply(properties);
        };

        /**
         * Encodes the specified Reply message. Does not implicitly {@link millrace.Reply.verify|verify} messages.
         * @function encode
         * @memberof millrace.Reply
         * @static
         * @param {millrace.Reply.$Properties} message Reply message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Reply.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.id != null && $Object.hasOwnProperty.call(message, "id") && (typeof message.id === "object" ? message.id.low || message.id.high : message.id !== 0))
                writer.uint32(/* id 1, wireType 0 =*/8).uint64(message.id);
            if (message.outcome != null && $Object.hasOwnProperty.call(message, "outcome") && message.outcome !== 0)
                writer.uint32(/* id 2, wireType 0 =*/16).int32(message.outcome);
            if (message.body != null && $Object.hasOwnProperty.call(message, "body") && message.body.length)
                writer.uint32(/* id 3, wireType 2 =*/26).bytes(message.body);
            if (message.reason != null && $Object.hasOwnProperty.call(message, "reason") && message.reason !== "")
                writer.uint32(/* id 4, wireType 2 =*/34).string(message.reason);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a Reply message from the specified reader or buffer.
         * @function decode
         * @memberof millrace.Reply
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {millrace.Reply & millrace.Reply.$Shape} Reply
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Reply.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.millrace.Reply();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 0)
                            break;
                        if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                            message.id = value;
                        else
                            delete message.id;
                        continue;
                    }
                case 2: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.int32())
                            message.outcome = value;
                        else
                            delete message.outcome;
                        continue;
                    }
                case 3: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.bytes()).length)
                            message.body = value;
                        else
                            delete message.body;
                        continue;
                    }
                case 4: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.reason = value;
                        else
                            delete message.reason;
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        /**
         * Outcome enum.
         * @name millrace.Reply.Outcome
         * @enum {number}
         * @property {number} DONE=0 DONE value
         * @property {number} FAILED=1 FAILED value
         * @property {number} REFUSED=2 REFUSED value
         */
        Reply.Outcome = (function() {
            const valuesById = $Object.create(null), values = $Object.create(valuesById);
            values[valuesById[0] = "DONE"] = 0;
            values[valuesById[1] = "FAILED"] = 1;
            values[valuesById[2] = "REFUSED"] = 2;
            return values;
        })();

        return Reply;
    })();

    millrace.Ballot = (function() {

        /**
         * Properties of a Ballot.
         * @typedef {Object} millrace.Ballot.$Properties
         * @property {number|null} [round] Ballot round
         * @property {string|null} [node] Ballot node
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a Ballot.
         * @memberof millrace
         * @interface IBallot
         * @augments millrace.Ballot.$Properties
         * @deprecated Use millrace.Ballot.$Properties instead.
         */

        /**
         * Shape of a Ballot.
         * @typedef {millrace.Ballot.$Properties} millrace.Ballot.$Shape
         */

        /**
         * Constructs a new Ballot.
         * @memberof millrace
         * @classdesc Represents a Ballot.
         * @constructor
         * @param {millrace.Ballot.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Ballot = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * Ballot round.
         * @member {number} round
         * @memberof millrace.Ballot
         * @instance
         */
        Ballot.prototype.round = 0;

        /**
         * Ballot node.
         * @member {string} node
         * @memberof millrace.Ballot
         * @instance
         */
        Ballot.prototype.node = "";

        /**
         * Creates a new Ballot instance using the specified properties.
         * @function create
         * @memberof millrace.Ballot
         * @static
         * @param {millrace.Ballot.$Properties=} [properties] Properties to set
         * @returns {millrace.Ballot} Ballot instance
         * @type {{
         *   (properties: millrace.Ballot.$Shape): millrace.Ballot & millrace.Ballot.$Shape;
         *   (properties?: millrace.Ballot.$Properties): millrace.Ballot;
         * }}
         */
        Ballot.create = function(properties) {
            return new Ballot(properties);
        };

        /**
         * Encodes the specified Ballot message. Does not implicitly {@link millrace.Ballot.verify|verify} messages.
         * @function encode
         * @memberof millrace.Ballot
         * @static
         * @param {millrace.Ballot.$Properties} message Ballot message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Ballot.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.round != null && $Object.hasOwnProperty.call(message, "round") && message.round !== 0)
                writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.round);
            if (message.node != null && $Object.hasOwnProperty.call(message, "node") && message.node !== "")
                writer.uint32(/* id 2, wireType 2 =*/18).string(message.node);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a Ballot message from the specified reader or buffer.
         * @function decode
         * @memberof millrace.Ballot
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {millrace.Ballot & millrace.Ballot.$Shape} Ballot
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Ballot.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.millrace.Ballot();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.round = value;
                        else
                            delete message.round;
                        continue;
                    }
                case 2: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.node = value;
                        else
                            delete message.node;
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return Ballot;
    })();

    millrace.MetaGroup = (function() {

        /**
         * Properties of a MetaGroup.
         * @typedef {Object} millrace.MetaGroup.$Properties
         * @property {string|null} [id] MetaGroup id
         * @property {Array.<string>|null} [voters] MetaGroup voters
         * @property {Array.<string>|null} [learners] MetaGroup learners
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a MetaGroup.
         * @memberof millrace
         * @interface IMetaGroup
         * @augments millrace.MetaGroup.$Properties
         * @deprecated Use millrace.MetaGroup.$Properties instead.
         */

        /**
         * Shape of a MetaGroup.
         * @typedef {millrace.MetaGroup.$Properties} millrace.MetaGroup.$Shape
         */

        /**
         * Constructs a new MetaGroup.
         * @memberof millrace
         * @classdesc Represents a MetaGroup.
         * @constructor
         * @param {millrace.MetaGroup.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const MetaGroup = function (properties) {
            this.voters = [];
            this.learners = [];
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * MetaGroup id.
         * @member {string} id
         * @memberof millrace.MetaGroup
         * @instance
         */
        MetaGroup.prototype.id = "";

        /**
         * MetaGroup voters.
         * @member {Array.<string>} voters
         * @memberof millrace.MetaGroup
         * @instance
         */
        MetaGroup.prototype.voters = $util.emptyArray;

        /**
         * MetaGroup learners.
         * @member {Array.<string>} learners
         * @memberof millrace.MetaGroup
         * @instance
         */
        MetaGroup.prototype.learners = $util.emptyArray;

        /**
         * Creates a new MetaGroup instance using the specified properties.
         * @function create
         * @memberof millrace.MetaGroup
         * @static
         * @param {millrace.MetaGroup.$Properties=} [properties] Properties to set
         * @returns {millrace.MetaGroup} MetaGroup instance
         * @type {{
         *   (properties: millrace.MetaGroup.$Shape): millrace.MetaGroup & millrace.MetaGroup.$Shape;
         *   (properties?: millrace.MetaGroup.$Properties): millrace.MetaGroup;
         * }}
         */
        MetaGroup.create = function(properties) {
            return new MetaGroup(properties);
        };

        /**
         * Encodes the specified MetaGroup message. Does not implicitly {@link millrace.MetaGroup.verify|verify} messages.
         * @function encode
         * @memberof millrace.MetaGroup
         * @static
         * @param {millrace.MetaGroup.$Properties} message MetaGroup message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        MetaGroup.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.id != null && $Object.hasOwnProperty.call(message, "id") && message.id !== "")
                writer.uint32(/* id 1, wireType 2 =*/10).string(message.id);
            if (message.voters != null && message.voters.length)
                for (let i = 0; i < message.voters.length; ++i)
                    writer.uint32(/* id 2, wireType 2 =*/18).string(message.voters[i]);
            if (message.learners != null && message.learners.length)
                for (let i = 0; i < message.learners.length; ++i)
                    writer.uint32(/* id 3, wireType 2 =*/26).string(message.learners[i]);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a MetaGroup message from the specified reader or buffer.
         * @function decode
         * @memberof millrace.MetaGroup
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {millrace.MetaGroup & millrace.MetaGroup.$Shape} MetaGroup
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        MetaGroup.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.millrace.MetaGroup();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.id = value;
                        else
                            delete message.id;
                        continue;
                    }
                case 2: {
                        if (wireType !== 2)
                            break;
                        if (!(message.voters && message.voters.length))
                            message.voters = [];
                        message.voters.push(reader.stringVerify());
                        continue;
                    }
                case 3: {
                        if (wireType !== 2)
                            break;
                        if (!(message.learners && message.learners.length))
                            message.learners = [];
                        message.learners.push(reader.stringVerify());
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return MetaGroup;
    })();

    millrace.FormationRequest = (function() {

        /**
         * Properties of a FormationRequest.
         * @typedef {Object} millrace.FormationRequest.$Properties
         * @property {millrace.FormationRequest.Step|null} [step] FormationRequest step
         * @property {millrace.Ballot.$Properties|null} [ballot] FormationRequest ballot
         * @property {millrace.MetaGroup.$Properties|null} [value] FormationRequest value
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a FormationRequest.
         * @memberof millrace
         * @interface IFormationRequest
         * @augments millrace.FormationRequest.$Properties
         * @deprecated Use millrace.FormationRequest.$Properties instead.
         */

        /**
         * Shape of a FormationRequest.
         * @typedef {millrace.FormationRequest.$Properties} millrace.FormationRequest.$Shape
         */

        /**
         * Constructs a new FormationRequest.
         * @memberof millrace
         * @classdesc Represents a FormationRequest.
         * @constructor
         * @param {millrace.FormationRequest.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const FormationRequest = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * FormationRequest step.
         * @member {millrace.FormationRequest.Step} step
         * @memberof millrace.FormationRequest
         * @instance
         */
        FormationRequest.prototype.step = 0;

        /**
         * FormationRequest ballot.
         * @member {millrace.Ballot.$Properties|null|undefined} ballot
         * @memberof millrace.FormationRequest
         * @instance
         */
        FormationRequest.prototype.ballot = null;

        /**
         * FormationRequest value.
         * @member {millrace.MetaGroup.$Properties|null|undefined} value
         * @memberof millrace.FormationRequest
         * @instance
         */
        FormationRequest.prototype.value = null;

        /**
         * Creates a new FormationRequest instance using the specified properties.
         * @function create
         * @memberof millrace.FormationRequest
         * @static
         * @param {millrace.FormationRequest.$Properties=} [properties] Properties to set
         * @returns {millrace.FormationRequest} FormationRequest instance
         * @type {{
         *   (properties: millrace.FormationRequest.$Shape): millrace.FormationRequest & millrace.FormationRequest.$Shape;
         *   (properties?: millrace.FormationRequest.$Properties): millrace.FormationRequest;
         * }}
         */
        FormationRequest.create = function(properties) {
            return new FormationRequest(properties);
        };

        /**
         * Encodes the specified FormationRequest message. Does not implicitly {@link millrace.FormationRequest.verify|verify} messages.
         * @function encode
         * @memberof millrace.FormationRequest
         * @static
         * @param {millrace.FormationRequest.$Properties} message FormationRequest message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        FormationRequest.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.step != null && $Object.hasOwnProperty.call(message, "step") && message.step !== 0)
                writer.uint32(/* id 1, wireType 0 =*/8).int32(message.step);
            if (message.ballot != null && $Object.hasOwnProperty.call(message, "ballot"))
                $root.millrace.Ballot.encode(message.ballot, writer.uint32(/* id 2, wireType 2 =*/18).fork(), _depth + 1).ldelim();
            if (message.value != null && $Object.hasOwnProperty.call(message, "value"))
                $root.millrace.MetaGroup.encode(message.value, writer.uint32(/* id 3, wireType 2 =*/26).fork(), _depth + 1).ldelim();
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a FormationRequest message from the specified reader or buffer.
         * @function decode
         * @memberof millrace.FormationRequest
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {millrace.FormationRequest & millrace.FormationRequest.$Shape} FormationRequest
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        FormationRequest.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.millrace.FormationRequest();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.int32())
                            message.step = value;
                        else
                            delete message.step;
                        continue;
                    }
                case 2: {
                        if (wireType !== 2)
                            break;
                        message.ballot = $root.millrace.Ballot.decode(reader, reader.size(), $undefined, _depth + 1, message.ballot);
                        continue;
                    }
                case 3: {
                        if (wireType !== 2)
                            break;
                        message.value = $root.millrace.MetaGroup.decode(reader, reader.size(), $undefined, _depth + 1, message.value);
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        /**
         * Step enum.
         * @name millrace.FormationRequest.Step
         * @enum {number}
         * @property {number} PREPARE=0 PREPARE value
         * @property {number} ACCEPT=1 ACCEPT value
         * @property {number} FORMED=2 FORMED value
         */
        FormationRequest.Step = (function() {
            const valuesById = $Object.create(null), values = $Object.create(valuesById);
            values[valuesById[0] = "PREPARE"] = 0;
            values[valuesById[1] = "ACCEPT"] = 1;
            values[valuesById[2] = "FORMED"] = 2;
            return values;
        })();

        return FormationRequest;
    })();

    millrace.FormationReply = (function() {

        /**
         * Properties of a FormationReply.
         * @typedef {Object} millrace.FormationReply.$Properties
         * @property {boolean|null} [granted] FormationReply granted
         * @property {millrace.Ballot.$Properties|null} [promised] FormationReply promised
         * @property {millrace.Ballot.$Properties|null} [acceptedBallot] FormationReply acceptedBallot
         * @property {millrace.MetaGroup.$Properties|null} [accepted] FormationReply accepted
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a FormationReply.
         * @memberof millrace
         * @interface IFormationReply
         * @augments millrace.FormationReply.$Properties
         * @deprecated Use millrace.FormationReply.$Properties instead.
         */

        /**
         * Shape of a FormationReply.
         * @typedef {millrace.FormationReply.$Properties} millrace.FormationReply.$Shape
         */

        /**
         * Constructs a new FormationReply.
         * @memberof millrace
         * @classdesc Represents a FormationReply.
         * @constructor
         * @param {millrace.FormationReply.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const FormationReply = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * FormationReply granted.
         * @member {boolean} granted
         * @memberof millrace.FormationReply
         * @instance
         */
        FormationReply.prototype.granted = false;

        /**
         * FormationReply promised.
         * @member {millrace.Ballot.$Properties|null|undefined} promised
         * @memberof millrace.FormationReply
         * @instance
         */
        FormationReply.prototype.promised = null;

        /**
         * FormationReply acceptedBallot.
         * @member {millrace.Ballot.$Properties|null|undefined} acceptedBallot
         * @memberof millrace.FormationReply
         * @instance
         */
        FormationReply.prototype.acceptedBallot = null;

        /**
         * FormationReply accepted.
         * @member {millrace.MetaGroup.$Properties|null|undefined} accepted
         * @memberof millrace.FormationReply
         * @instance
         */
        FormationReply.prototype.accepted = null;

        /**
         * Creates a new FormationReply instance using the specified properties.
         * @function create
         * @memberof millrace.FormationReply
         * @static
         * @param {millrace.FormationReply.$Properties=} [properties] Properties to set
         * @returns {millrace.FormationReply} FormationReply instance
         * @type {{
         *   (properties: millrace.FormationReply.$Shape): millrace.FormationReply & millrace.FormationReply.$Shape;
         *   (properties?: millrace.FormationReply.$Properties): millrace.FormationReply;
         * }}
         */
        FormationReply.create = function(properties) {
            return new FormationReply(properties);
        };

        /**
         * Encodes the specified FormationReply message. Does not implicitly {@link millrace.FormationReply.verify|verify} messages.
         * @function encode
         * @memberof millrace.FormationReply
         * @static
         * @param {millrace.FormationReply.$Properties} message FormationReply message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        FormationReply.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.granted != null && $Object.hasOwnProperty.call(message, "granted") && message.granted !== false)
                writer.uint32(/* id 1, wireType 0 =*/8).bool(message.granted);
            if (message.promised != null && $Object.hasOwnProperty.call(message, "promised"))
                $root.millrace.Ballot.encode(message.promised, writer.uint32(/* id 2, wireType 2 =*/18).fork(), _depth + 1).ldelim();
            if (message.acceptedBallot != null && $Object.hasOwnProperty.call(message, "acceptedBallot"))
                $root.millrace.Ballot.encode(message.acceptedBallot, writer.uint32(/* id 3, wireType 2 =*/26).fork(), _depth + 1).ldelim();
            if (message.accepted != null && $Object.hasOwnProperty.call(message, "accepted"))
                $root.millrace.MetaGroup.encode(message.accepted, writer.uint32(/* id 4, wireType 2 =*/34).fork(), _depth + 1).ldelim();
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a FormationReply message from the specified reader or buffer.
         * @function decode
         * @memberof millrace.FormationReply
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {millrace.FormationReply & millrace.FormationReply.$Shape} FormationReply
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        FormationReply.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.millrace.FormationReply();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.bool())
                            message.granted = value;
                        else
                            delete message.granted;
                        continue;
                    }
                case 2: {
                        if (wireType !== 2)
                            break;
                        message.promised = $root.millrace.Ballot.decode(reader, reader.size(), $undefined, _depth + 1, message.promised);
                        continue;
                    }
                case 3: {
                        if (wireType !== 2)
                            break;
                        message.acceptedBallot = $root.millrace.Ballot.decode(reader, reader.size(), $undefined, _depth + 1, message.acceptedBallot);
                        continue;
                    }
                case 4: {
                        if (wireType !== 2)
                            break;
                        message.accepted = $root.millrace.MetaGroup.decode(reader, reader.size(), $undefined, _depth + 1, message.accepted);
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return FormationReply;
    })();

    millrace.NodeState = (function() {

        /**
         * Properties of a NodeState.
         * @typedef {Object} millrace.NodeState.$Properties
         * @property {millrace.Ballot.$Properties|null} [promised] NodeState promised
         * @property {millrace.Ballot.$Properties|null} [acceptedBallot] NodeState acceptedBallot
         * @property {millrace.MetaGroup.$Properties|null} [accepted] NodeState accepted
         * @property {millrace.MetaGroup.$Properties|null} [formed] NodeState formed
         * @property {Array.<millrace.Address.$Properties>|null} [addresses] NodeState addresses
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a NodeState.
         * @memberof millrace
         * @interface INodeState
         * @augments millrace.NodeState.$Properties
         * @deprecated Use millrace.NodeState.$Properties instead.
         */

        /**
         * Shape of a NodeState.
         * @typedef {millrace.NodeState.$Properties} millrace.NodeState.$Shape
         */

        /**
         * Constructs a new NodeState.
         * @memberof millrace
         * @classdesc Represents a NodeState.
         * @constructor
         * @param {millrace.NodeState.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const NodeState = function (properties) {
            this.addresses = [];
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * NodeState promised.
         * @member {millrace.Ballot.$Properties|null|undefined} promised
         * @memberof millrace.NodeState
         * @instance
         */
        NodeState.prototype.promised = null;

        /**
         * NodeState acceptedBallot.
         * @member {millrace.Ballot.$Properties|null|undefined} acceptedBallot
         * @memberof millrace.NodeState
         * @instance
         */
        NodeState.prototype.acceptedBallot = null;

        /**
         * NodeState accepted.
         * @member {millrace.MetaGroup.$Properties|null|undefined} accepted
         * @memberof millrace.NodeState
         * @instance
         */
        NodeState.prototype.accepted = null;

        /**
         * NodeState formed.
         * @member {millrace.MetaGroup.$Properties|null|undefined} formed
         * @memberof millrace.NodeState
         * @instance
         */
        NodeState.prototype.formed = null;

        /**
         * NodeState addresses.
         * @member {Array.<millrace.Address.$Properties>} addresses
         * @memberof millrace.NodeState
         * @instance
         */
        NodeState.prototype.addresses = $util.emptyArray;

        /**
         * Creates a new NodeState instance using the specified properties.
         * @function create
         * @memberof millrace.NodeState
         * @static
         * @param {millrace.NodeState.$Properties=} [properties] Properties to set
         * @returns {millrace.NodeState} NodeState instance
         * @type {{
         *   (properties: millrace.NodeState.$Shape): millrace.NodeState & millrace.NodeState.$Shape;
         *   (properties?: millrace.NodeState.$Properties): millrace.NodeState;
         * }}
         */
        NodeState.create = function(properties) {
            return new NodeState(properties);
        };

        /**
         * Encodes the specified NodeState message. Does not implicitly {@link millrace.NodeState.verify|verify} messages.
         * @function encode
         * @memberof millrace.NodeState
         * @static
         * @param {millrace.NodeState.$Properties} message NodeState message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        NodeState.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.promised != null && $Object.hasOwnProperty.call(message, "promised"))
                $root.millrace.Ballot.encode(message.promised, writer.uint32(/* id 1, wireType 2 =*/10).fork(), _depth + 1).ldelim();
            if (message.acceptedBallot != null && $Object.hasOwnProperty.call(message, "acceptedBallot"))
                $root.millrace.Ballot.encode(message.acceptedBallot, writer.uint32(/* id 2, wireType 2 =*/18).fork(), _depth + 1).ldelim();
            if (message.accepted != null && $Object.hasOwnProperty.call(message, "accepted"))
                $root.millrace.MetaGroup.encode(message.accepted, writer.uint32(/* id 3, wireType 2 =*/26).fork(), _depth + 1).ldelim();
            if (message.formed != null && $Object.hasOwnProperty.call(message, "formed"))
                $root.millrace.MetaGroup.encode(message.formed, writer.uint32(/* id 4, wireType 2 =*/34).fork(), _depth + 1).ldelim();
            if (message.addresses != null && message.addresses.length)
                for (let i = 0; i < message.addresses.length; ++i)
                    $root.millrace.Address.encode(message.addresses[i], writer.uint32(/* id 5, wireType 2 =*/42).fork(), _depth + 1).ldelim();
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a NodeState message from the specified reader or buffer.
         * @function decode
         * @memberof millrace.NodeState
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {millrace.NodeState & millrace.NodeState.$Shape} NodeState
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        NodeState.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.millrace.NodeState();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 2)
                            break;
                        message.promised = $root.millrace.Ballot.decode(reader, reader.size(), $undefined, _depth + 1, message.promised);
                        continue;
                    }
                case 2: {
                        if (wireType !== 2)
                            break;
                        message.acceptedBallot = $root.millrace.Ballot.decode(reader, reader.size(), $undefined, _depth + 1, message.acceptedBallot);
                        continue;
                    }
                case 3: {
                        if (wireType !== 2)
                            break;
                        message.accepted = $root.millrace.MetaGroup.decode(reader, reader.size(), $undefined, _depth + 1, message.accepted);
                        continue;
                    }
                case 4: {
                        if (wireType !== 2)
                            break;
                        message.formed = $root.millrace.MetaGroup.decode(reader, reader.size(), $undefined, _depth + 1, message.formed);
                        continue;
                    }
                case 5: {
                        if (wireType !== 2)
                            break;
                        if (!(message.addresses && message.addresses.length))
                            message.addresses = [];
                        message.addresses.push($root.millrace.Address.decode(reader, reader.size(), $undefined, _depth + 1));
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return NodeState;
    })();

    millrace.Address = (function() {

        /**
         * Properties of an Address.
         * @typedef {Object} millrace.Address.$Properties
         * @property {string|null} [node] Address node
         * @property {string|null} [address] Address address
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of an Address.
         * @memberof millrace
         * @interface IAddress
         * @augments millrace.Address.$Properties
         * @deprecated Use millrace.Address.$Properties instead.
         */

        /**
         * Shape of an Address.
         * @typedef {millrace.Address.$Properties} millrace.Address.$Shape
         */

        /**
         * Constructs a new Address.
         * @memberof millrace
         * @classdesc Represents an Address.
         * @constructor
         * @param {millrace.Address.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Address = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * Address node.
         * @member {string} node
         * @memberof millrace.Address
         * @instance
         */
        Address.prototype.node = "";

        /**
         * Address address.
         * @member {string} address
         * @memberof millrace.Address
         * @instance
         */
        Address.prototype.address = "";

        /**
         * Creates a new Address instance using the specified properties.
         * @function create
         * @memberof millrace.Address
         * @static
         * @param {millrace.Address.$Properties=} [properties] Properties to set
         * @returns {millrace.Address} Address instance
         * @type {{
         *   (properties: millrace.Address.$Shape): millrace.Address & millrace.Address.$Shape;
         *   (properties?: millrace.Address.$Properties): millrace.Address;
         * }}
         */
        Address.create = function(properties) {
            return new Address(properties);
        };

        /**
         * Encodes the specified Address message. Does not implicitly {@link millrace.Address.verify|verify} messages.
         * @function encode
         * @memberof millrace.Address
         * @static
         * @param {millrace.Address.$Properties} message Address message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Address.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.node != null && $Object.hasOwnProperty.call(message, "node") && message.node !== "")
                writer.uint32(/* id 1, wireType 2 =*/10).string(message.node);
            if (message.address != null && $Object.hasOwnProperty.call(message, "address") && message.address !== "")
                writer.uint32(/* id 2, wireType 2 =*/18).string(message.address);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes an Address message from the specified reader or buffer.
         * @function decode
         * @memberof millrace.Address
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {millrace.Address & millrace.Address.$Shape} Address
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Address.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.millrace.Address();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.node = value;
                        else
                            delete message.node;
                        continue;
                    }
                case 2: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.address = value;
                        else
                            delete message.address;
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return Address;
    })();

    millrace.JoinReply = (function() {

        /**
         * Properties of a JoinReply.
         * @typedef {Object} millrace.JoinReply.$Properties
         * @property {millrace.MetaGroup.$Properties|null} [group] JoinReply group
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a JoinReply.
         * @memberof millrace
         * @interface IJoinReply
         * @augments millrace.JoinReply.$Properties
         * @deprecated Use millrace.JoinReply.$Properties instead.
         */

        /**
         * Shape of a JoinReply.
         * @typedef {millrace.JoinReply.$Properties} millrace.JoinReply.$Shape
         */

        /**
         * Constructs a new JoinReply.
         * @memberof millrace
         * @classdesc Represents a JoinReply.
         * @constructor
         * @param {millrace.JoinReply.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const JoinReply = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * JoinReply group.
         * @member {millrace.MetaGroup.$Properties|null|undefined} group
         * @memberof millrace.JoinReply
         * @instance
         */
        JoinReply.prototype.group = null;

        /**
         * Creates a new JoinReply instance using the specified properties.
         * @function create
         * @memberof millrace.JoinReply
         * @static
         * @param {millrace.JoinReply.$Properties=} [properties] Properties to set
         * @returns {millrace.JoinReply} JoinReply instance
         * @type {{
         *   (properties: millrace.JoinReply.$Shape): millrace.JoinReply & millrace.JoinReply.$Shape;
         *   (properties?: millrace.JoinReply.$Properties): millrace.JoinReply;
         * }}
         */
        JoinReply.create = function(properties) {
            return new JoinReply(properties);
        };

        /**
         * Encodes the specified JoinReply message. Does not implicitly {@link millrace.JoinReply.verify|verify} messages.
         * @function encode
         * @memberof millrace.JoinReply
         * @static
         * @param {millrace.JoinReply.$Properties} message JoinReply message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        JoinReply.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.group != null && $Object.hasOwnProperty.call(message, "group"))
                $root.millrace.MetaGroup.encode(message.group, writer.uint32(/* id 1, wireType 2 =*/10).fork(), _depth + 1).ldelim();
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a JoinReply message from the specified reader or buffer.
         * @function decode
         * @memberof millrace.JoinReply
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {millrace.JoinReply & millrace.JoinReply.$Shape} JoinReply
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        JoinReply.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.millrace.JoinReply();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 2)
                            break;
                        message.group = $root.millrace.MetaGroup.decode(reader, reader.size(), $undefined, _depth + 1, message.group);
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        return JoinReply;
    })();

    return millrace;
})();

export {
  $root as default
};
