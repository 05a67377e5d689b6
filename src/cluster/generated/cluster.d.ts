import * as $protobuf from "protobufjs/minimal.js";
import Long = require("long");

/** Namespace millrace. */
export namespace millrace {

    /**
     * Properties of an Empty.
     * @deprecated Use millrace.Empty.$Properties instead.
     */
    interface IEmpty extends millrace.Empty.$Properties {
    }

    /** Represents an Empty. */
    class Empty {

        /**
         * Constructs a new Empty.
         * @param [properties] Properties to set
         */
        constructor(properties?: millrace.Empty.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /**
         * Creates a new Empty instance using the specified properties.
         * @param [properties] Properties to set
         * @returns Empty instance
         */
        static create(properties: millrace.Empty.$Shape): millrace.Empty & millrace.Empty.$Shape;
        static create(properties?: millrace.Empty.$Properties): millrace.Empty;

        /**
         * Encodes the specified Empty message. Does not implicitly {@link millrace.Empty.verify|verify} messages.
         * @param message Empty message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: millrace.Empty.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes an Empty message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {millrace.Empty & millrace.Empty.$Shape} Empty
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): millrace.Empty & millrace.Empty.$Shape;
    }

    namespace Empty {

        /** Properties of an Empty. */
        interface $Properties {

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of an Empty. */
        type $Shape = millrace.Empty.$Properties;
    }

    /**
     * Properties of a Description.
     * @deprecated Use millrace.Description.$Properties instead.
     */
    interface IDescription extends millrace.Description.$Properties {
    }

    /** Represents a Description. */
    class Description {

        /**
         * Constructs a new Description.
         * @param [properties] Properties to set
         */
        constructor(properties?: millrace.Description.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Description node. */
        node: string;

        /** Description instance. */
        instance: string;

        /** Description address. */
        address: string;

        /** Description clientUrls. */
        clientUrls: string[];

        /** Description version. */
        version: string;

        /** Description jetstream. */
        jetstream: boolean;

        /** Description tags. */
        tags: string[];

        /** Description metaId. */
        metaId: string;

        /** Description expectedNodes. */
        expectedNodes: number;

        /** Description availableFileBytes. */
        availableFileBytes?: (number|null);

        /** Description availableMemoryBytes. */
        availableMemoryBytes?: (number|null);

        /**
         * Creates a new Description instance using the specified properties.
         * @param [properties] Properties to set
         * @returns Description instance
         */
        static create(properties: millrace.Description.$Shape): millrace.Description & millrace.Description.$Shape;
        static create(properties?: millrace.Description.$Properties): millrace.Description;

        /**
         * Encodes the specified Description message. Does not implicitly {@link millrace.Description.verify|verify} messages.
         * @param message Description message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: millrace.Description.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Description message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {millrace.Description & millrace.Description.$Shape} Description
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): millrace.Description & millrace.Description.$Shape;
    }

    namespace Description {

        /** Properties of a Description. */
        interface $Properties {

            /** Description node */
            node?: (string|null);

            /** Description instance */
            instance?: (string|null);

            /** Description address */
            address?: (string|null);

            /** Description clientUrls */
            clientUrls?: (string[]|null);

            /** Description version */
            version?: (string|null);

            /** Description jetstream */
            jetstream?: (boolean|null);

            /** Description tags */
            tags?: (string[]|null);

            /** Description metaId */
            metaId?: (string|null);

            /** Description expectedNodes */
            expectedNodes?: (number|null);

            /** Description availableFileBytes */
            availableFileBytes?: (number|null);

            /** Description availableMemoryBytes */
            availableMemoryBytes?: (number|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Description. */
        type $Shape = millrace.Description.$Properties;
    }

    /**
     * Properties of a Hello.
     * @deprecated Use millrace.Hello.$Properties instead.
     */
    interface IHello extends millrace.Hello.$Properties {
    }

    /** Represents a Hello. */
    class Hello {

        /**
         * Constructs a new Hello.
         * @param [properties] Properties to set
         */
        constructor(properties?: millrace.Hello.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Hello protocol. */
        protocol: number;

        /** Hello oldestProtocol. */
        oldestProtocol: number;

        /** Hello cluster. */
        cluster: string;

        /** Hello secret. */
        secret: string;

        /** Hello from. */
        from?: (millrace.Description.$Properties|null);

        /** Hello to. */
        to: string;

        /** Hello link. */
        link: number;

        /** Hello session. */
        session: number;

        /**
         * Creates a new Hello instance using the specified properties.
         * @param [properties] Properties to set
         * @returns Hello instance
         */
        static create(properties: millrace.Hello.$Shape): millrace.Hello & millrace.Hello.$Shape;
        static create(properties?: millrace.Hello.$Properties): millrace.Hello;

        /**
         * Encodes the specified Hello message. Does not implicitly {@link millrace.Hello.verify|verify} messages.
         * @param message Hello message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: millrace.Hello.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Hello message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {millrace.Hello & millrace.Hello.$Shape} Hello
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): millrace.Hello & millrace.Hello.$Shape;
    }

    namespace Hello {

        /** Properties of a Hello. */
        interface $Properties {

            /** Hello protocol */
            protocol?: (number|null);

            /** Hello oldestProtocol */
            oldestProtocol?: (number|null);

            /** Hello cluster */
            cluster?: (string|null);

            /** Hello secret */
            secret?: (string|null);

            /** Hello from */
            from?: (millrace.Description.$Properties|null);

            /** Hello to */
            to?: (string|null);

            /** Hello link */
            link?: (number|null);

            /** Hello session */
            session?: (number|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Hello. */
        type $Shape = millrace.Hello.$Properties;
    }

    /**
     * Properties of a Nodes.
     * @deprecated Use millrace.Nodes.$Properties instead.
     */
    interface INodes extends millrace.Nodes.$Properties {
    }

    /** Represents a Nodes. */
    class Nodes {

        /**
         * Constructs a new Nodes.
         * @param [properties] Properties to set
         */
        constructor(properties?: millrace.Nodes.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Nodes nodes. */
        nodes: millrace.Description.$Properties[];

        /**
         * Creates a new Nodes instance using the specified properties.
         * @param [properties] Properties to set
         * @returns Nodes instance
         */
        static create(properties: millrace.Nodes.$Shape): millrace.Nodes & millrace.Nodes.$Shape;
        static create(properties?: millrace.Nodes.$Properties): millrace.Nodes;

        /**
         * Encodes the specified Nodes message. Does not implicitly {@link millrace.Nodes.verify|verify} messages.
         * @param message Nodes message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: millrace.Nodes.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Nodes message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {millrace.Nodes & millrace.Nodes.$Shape} Nodes
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): millrace.Nodes & millrace.Nodes.$Shape;
    }

    namespace Nodes {

        /** Properties of a Nodes. */
        interface $Properties {

            /** Nodes nodes */
            nodes?: (millrace.Description.$Properties[]|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Nodes. */
        type $Shape = millrace.Nodes.$Properties;
    }

    /**
     * Properties of a Packet.
     * @deprecated Use millrace.Packet.$Properties instead.
     */
    interface IPacket extends millrace.Packet.$Properties {
    }

    /** Represents a Packet. */
    class Packet {

        /**
         * Constructs a new Packet.
         * @param [properties] Properties to set
         */
        constructor(properties?: millrace.Packet.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Packet frames. */
        frames: millrace.Frame.$Properties[];

        /**
         * Creates a new Packet instance using the specified properties.
         * @param [properties] Properties to set
         * @returns Packet instance
         */
        static create(properties: millrace.Packet.$Shape): millrace.Packet & millrace.Packet.$Shape;
        static create(properties?: millrace.Packet.$Properties): millrace.Packet;

        /**
         * Encodes the specified Packet message. Does not implicitly {@link millrace.Packet.verify|verify} messages.
         * @param message Packet message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: millrace.Packet.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Packet message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {millrace.Packet & millrace.Packet.$Shape} Packet
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): millrace.Packet & millrace.Packet.$Shape;
    }

    namespace Packet {

        /** Properties of a Packet. */
        interface $Properties {

            /** Packet frames */
            frames?: (millrace.Frame.$Properties[]|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Packet. */
        type $Shape = millrace.Packet.$Properties;
    }

    /**
     * Properties of a Frame.
     * @deprecated Use millrace.Frame.$Properties instead.
     */
    interface IFrame extends millrace.Frame.$Properties {
    }

    /** Represents a Frame. */
    class Frame {

        /**
         * Constructs a new Frame.
         * @param [properties] Properties to set
         */
        constructor(properties?: millrace.Frame.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Frame kind. */
        kind: number;

        /** Frame body. */
        body: Uint8Array;

        /**
         * Creates a new Frame instance using the specified properties.
         * @param [properties] Properties to set
         * @returns Frame instance
         */
        static create(properties: millrace.Frame.$Shape): millrace.Frame & millrace.Frame.$Shape;
        static create(properties?: millrace.Frame.$Properties): millrace.Frame;

        /**
         * Encodes the specified Frame message. Does not implicitly {@link millrace.Frame.verify|verify} messages.
         * @param message Frame message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: millrace.Frame.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Frame message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {millrace.Frame & millrace.Frame.$Shape} Frame
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): millrace.Frame & millrace.Frame.$Shape;
    }

    namespace Frame {

        /** Properties of a Frame. */
        interface $Properties {

            /** Frame kind */
            kind?: (number|null);

            /** Frame body */
            body?: (Uint8Array|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Frame. */
        type $Shape = millrace.Frame.$Properties;
    }

    /**
     * Properties of an InterestUpdate.
     * @deprecated Use millrace.InterestUpdate.$Properties instead.
     */
    interface IInterestUpdate extends millrace.InterestUpdate.$Properties {
    }

    /** Represents an InterestUpdate. */
    class InterestUpdate {

        /**
         * Constructs a new InterestUpdate.
         * @param [properties] Properties to set
         */
        constructor(properties?: millrace.InterestUpdate.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** InterestUpdate interests. */
        interests: millrace.InterestUpdate.Interest.$Properties[];

        /**
         * Creates a new InterestUpdate instance using the specified properties.
         * @param [properties] Properties to set
         * @returns InterestUpdate instance
         */
        static create(properties: millrace.InterestUpdate.$Shape): millrace.InterestUpdate & millrace.InterestUpdate.$Shape;
        static create(properties?: millrace.InterestUpdate.$Properties): millrace.InterestUpdate;

        /**
         * Encodes the specified InterestUpdate message. Does not implicitly {@link millrace.InterestUpdate.verify|verify} messages.
         * @param message InterestUpdate message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: millrace.InterestUpdate.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes an InterestUpdate message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {millrace.InterestUpdate & millrace.InterestUpdate.$Shape} InterestUpdate
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): millrace.InterestUpdate & millrace.InterestUpdate.$Shape;
    }

    namespace InterestUpdate {

        /** Properties of an InterestUpdate. */
        interface $Properties {

            /** InterestUpdate interests */
            interests?: (millrace.InterestUpdate.Interest.$Properties[]|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of an InterestUpdate. */
        type $Shape = millrace.InterestUpdate.$Properties;

        /**
         * Properties of an Interest.
         * @deprecated Use millrace.InterestUpdate.Interest.$Properties instead.
         */
        interface IInterest extends millrace.InterestUpdate.Interest.$Properties {
        }

        /** Represents an Interest. */
        class Interest {

            /**
             * Constructs a new Interest.
             * @param [properties] Properties to set
             */
            constructor(properties?: millrace.InterestUpdate.Interest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Interest account. */
            account: string;

            /** Interest subject. */
            subject: string;

            /** Interest queue. */
            queue?: (string|null);

            /** Interest members. */
            members: number;

            /**
             * Creates a new Interest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Interest instance
             */
            static create(properties: millrace.InterestUpdate.Interest.$Shape): millrace.InterestUpdate.Interest & millrace.InterestUpdate.Interest.$Shape;
            static create(properties?: millrace.InterestUpdate.Interest.$Properties): millrace.InterestUpdate.Interest;

            /**
             * Encodes the specified Interest message. Does not implicitly {@link millrace.InterestUpdate.Interest.verify|verify} messages.
             * @param message Interest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: millrace.InterestUpdate.Interest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes an Interest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {millrace.InterestUpdate.Interest & millrace.InterestUpdate.Interest.$Shape} Interest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): millrace.InterestUpdate.Interest & millrace.InterestUpdate.Interest.$Shape;
        }

        namespace Interest {

            /** Properties of an Interest. */
            interface $Properties {

                /** Interest account */
                account?: (string|null);

                /** Interest subject */
                subject?: (string|null);

                /** Interest queue */
                queue?: (string|null);

                /** Interest members */
                members?: (number|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of an Interest. */
            type $Shape = millrace.InterestUpdate.Interest.$Properties;
        }
    }

    /**
     * Properties of a Leaderships.
     * @deprecated Use millrace.Leaderships.$Properties instead.
     */
    interface ILeaderships extends millrace.Leaderships.$Properties {
    }

    /** Represents a Leaderships. */
    class Leaderships {

        /**
         * Constructs a new Leaderships.
         * @param [properties] Properties to set
         */
        constructor(properties?: millrace.Leaderships.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Leaderships complete. */
        complete: boolean;

        /** Leaderships groups. */
        groups: number[];

        /** Leaderships terms. */
        terms: number[];

        /** Leaderships leading. */
        leading: boolean[];

        /**
         * Creates a new Leaderships instance using the specified properties.
         * @param [properties] Properties to set
         * @returns Leaderships instance
         */
        static create(properties: millrace.Leaderships.$Shape): millrace.Leaderships & millrace.Leaderships.$Shape;
        static create(properties?: millrace.Leaderships.$Properties): millrace.Leaderships;

        /**
         * Encodes the specified Leaderships message. Does not implicitly {@link millrace.Leaderships.verify|verify} messages.
         * @param message Leaderships message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: millrace.Leaderships.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Leaderships message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {millrace.Leaderships & millrace.Leaderships.$Shape} Leaderships
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): millrace.Leaderships & millrace.Leaderships.$Shape;
    }

    namespace Leaderships {

        /** Properties of a Leaderships. */
        interface $Properties {

            /** Leaderships complete */
            complete?: (boolean|null);

            /** Leaderships groups */
            groups?: (number[]|null);

            /** Leaderships terms */
            terms?: (number[]|null);

            /** Leaderships leading */
            leading?: (boolean[]|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Leaderships. */
        type $Shape = millrace.Leaderships.$Properties;
    }

    /**
     * Properties of a Request.
     * @deprecated Use millrace.Request.$Properties instead.
     */
    interface IRequest extends millrace.Request.$Properties {
    }

    /** Represents a Request. */
    class Request {

        /**
         * Constructs a new Request.
         * @param [properties] Properties to set
         */
        constructor(properties?: millrace.Request.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Request id. */
        id: number;

        /** Request service. */
        service: string;

        /** Request body. */
        body: Uint8Array;

        /**
         * Creates a new Request instance using the specified properties.
         * @param [properties] Properties to set
         * @returns Request instance
         */
        static create(properties: millrace.Request.$Shape): millrace.Request & millrace.Request.$Shape;
        static create(properties?: millrace.Request.$Properties): millrace.Request;

        /**
         * Encodes the specified Request message. Does not implicitly {@link millrace.Request.verify|verify} messages.
         * @param message Request message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: millrace.Request.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Request message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {millrace.Request & millrace.Request.$Shape} Request
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): millrace.Request & millrace.Request.$Shape;
    }

    namespace Request {

        /** Properties of a Request. */
        interface $Properties {

            /** Request id */
            id?: (number|null);

            /** Request service */
            service?: (string|null);

            /** Request body */
            body?: (Uint8Array|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Request. */
        type $Shape = millrace.Request.$Properties;
    }

    /**
     * Properties of a Reply.
     * @deprecated Use millrace.Reply.$Properties instead.
     */
    interface IReply extends millrace.Reply.$Properties {
    }

    /** Represents a Reply. */
    class Reply {

        /**
         * Constructs a new Reply.
         * @param [properties] Properties to set
         */
        constructor(properties?: millrace.Reply.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Reply id. */
        id: number;

        /** Reply outcome. */
        outcome: millrace.Reply.Outcome;

        /** Reply body. */
        body: Uint8Array;

        /** Reply reason. */
        reason: string;

        /**
         * Creates a new Reply instance using the specified properties.
         * @param [properties] Properties to set
         * @returns Reply instance
         */
        static create(properties: millrace.Reply.$Shape): millrace.Reply & millrace.Reply.$Shape;
        static create(properties?: millrace.Reply.$Properties): millrace.Reply;

        /**
         * Encodes the specified Reply message. Does not implicitly {@link millrace.Reply.verify|verify} messages.
         * @param message Reply message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: millrace.Reply.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Reply message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {millrace.Reply & millrace.Reply.$Shape} Reply
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): millrace.Reply & millrace.Reply.$Shape;
    }

    namespace Reply {

        /** Properties of a Reply. */
        interface $Properties {

            /** Reply id */
            id?: (number|null);

            /** Reply outcome */
            outcome?: (millrace.Reply.Outcome|null);

            /** Reply body */
            body?: (Uint8Array|null);

            /** Reply reason */
            reason?: (string|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Reply. */
        type $Shape = millrace.Reply.$Properties;

        /** Outcome enum. */
        enum Outcome {

            /** DONE value */
            DONE = 0,

            /** FAILED value */
            FAILED = 1,

            /** REFUSED value */
            REFUSED = 2
        }
    }

    /**
     * Properties of a Ballot.
     * @deprecated Use millrace.Ballot.$Properties instead.
     */
    interface IBallot extends millrace.Ballot.$Properties {
    }

    /** Represents a Ballot. */
    class Ballot {

        /**
         * Constructs a new Ballot.
         * @param [properties] Properties to set
         */
        constructor(properties?: millrace.Ballot.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Ballot round. */
        round: number;

        /** Ballot node. */
        node: string;

        /**
         * Creates a new Ballot instance using the specified properties.
         * @param [properties] Properties to set
         * @returns Ballot instance
         */
        static create(properties: millrace.Ballot.$Shape): millrace.Ballot & millrace.Ballot.$Shape;
        static create(properties?: millrace.Ballot.$Properties): millrace.Ballot;

        /**
         * Encodes the specified Ballot message. Does not implicitly {@link millrace.Ballot.verify|verify} messages.
         * @param message Ballot message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: millrace.Ballot.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Ballot message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {millrace.Ballot & millrace.Ballot.$Shape} Ballot
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): millrace.Ballot & millrace.Ballot.$Shape;
    }

    namespace Ballot {

        /** Properties of a Ballot. */
        interface $Properties {

            /** Ballot round */
            round?: (number|null);

            /** Ballot node */
            node?: (string|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Ballot. */
        type $Shape = millrace.Ballot.$Properties;
    }

    /**
     * Properties of a MetaGroup.
     * @deprecated Use millrace.MetaGroup.$Properties instead.
     */
    interface IMetaGroup extends millrace.MetaGroup.$Properties {
    }

    /** Represents a MetaGroup. */
    class MetaGroup {

        /**
         * Constructs a new MetaGroup.
         * @param [properties] Properties to set
         */
        constructor(properties?: millrace.MetaGroup.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** MetaGroup id. */
        id: string;

        /** MetaGroup voters. */
        voters: string[];

        /** MetaGroup learners. */
        learners: string[];

        /**
         * Creates a new MetaGroup instance using the specified properties.
         * @param [properties] Properties to set
         * @returns MetaGroup instance
         */
        static create(properties: millrace.MetaGroup.$Shape): millrace.MetaGroup & millrace.MetaGroup.$Shape;
        static create(properties?: millrace.MetaGroup.$Properties): millrace.MetaGroup;

        /**
         * Encodes the specified MetaGroup message. Does not implicitly {@link millrace.MetaGroup.verify|verify} messages.
         * @param message MetaGroup message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: millrace.MetaGroup.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a MetaGroup message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {millrace.MetaGroup & millrace.MetaGroup.$Shape} MetaGroup
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): millrace.MetaGroup & millrace.MetaGroup.$Shape;
    }

    namespace MetaGroup {

        /** Properties of a MetaGroup. */
        interface $Properties {

            /** MetaGroup id */
            id?: (string|null);

            /** MetaGroup voters */
            voters?: (string[]|null);

            /** MetaGroup learners */
            learners?: (string[]|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a MetaGroup. */
        type $Shape = millrace.MetaGroup.$Properties;
    }

    /**
     * Properties of a FormationRequest.
     * @deprecated Use millrace.FormationRequest.$Properties instead.
     */
    interface IFormationRequest extends millrace.FormationRequest.$Properties {
    }

    /** Represents a FormationRequest. */
    class FormationRequest {

        /**
         * Constructs a new FormationRequest.
         * @param [properties] Properties to set
         */
        constructor(properties?: millrace.FormationRequest.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** FormationRequest step. */
        step: millrace.FormationRequest.Step;

        /** FormationRequest ballot. */
        ballot?: (millrace.Ballot.$Properties|null);

        /** FormationRequest value. */
        value?: (millrace.MetaGroup.$Properties|null);

        /**
         * Creates a new FormationRequest instance using the specified properties.
         * @param [properties] Properties to set
         * @returns FormationRequest instance
         */
        static create(properties: millrace.FormationRequest.$Shape): millrace.FormationRequest & millrace.FormationRequest.$Shape;
        static create(properties?: millrace.FormationRequest.$Properties): millrace.FormationRequest;

        /**
         * Encodes the specified FormationRequest message. Does not implicitly {@link millrace.FormationRequest.verify|verify} messages.
         * @param message FormationRequest message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: millrace.FormationRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a FormationRequest message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {millrace.FormationRequest & millrace.FormationRequest.$Shape} FormationRequest
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): millrace.FormationRequest & millrace.FormationRequest.$Shape;
    }

    namespace FormationRequest {

        /** Properties of a FormationRequest. */
        interface $Properties {

            /** FormationRequest step */
            step?: (millrace.FormationRequest.Step|null);

            /** FormationRequest ballot */
            ballot?: (millrace.Ballot.$Properties|null);

            /** FormationRequest value */
            value?: (millrace.MetaGroup.$Properties|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a FormationRequest. */
        type $Shape = millrace.FormationRequest.$Properties;

        /** Step enum. */
        enum Step {

            /** PREPARE value */
            PREPARE = 0,

            /** ACCEPT value */
            ACCEPT = 1,

            /** FORMED value */
            FORMED = 2
        }
    }

    /**
     * Properties of a FormationReply.
     * @deprecated Use millrace.FormationReply.$Properties instead.
     */
    interface IFormationReply extends millrace.FormationReply.$Properties {
    }

    /** Represents a FormationReply. */
    class FormationReply {

        /**
         * Constructs a new FormationReply.
         * @param [properties] Properties to set
         */
        constructor(properties?: millrace.FormationReply.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** FormationReply granted. */
        granted: boolean;

        /** FormationReply promised. */
        promised?: (millrace.Ballot.$Properties|null);

        /** FormationReply acceptedBallot. */
        acceptedBallot?: (millrace.Ballot.$Properties|null);

        /** FormationReply accepted. */
        accepted?: (millrace.MetaGroup.$Properties|null);

        /**
         * Creates a new FormationReply instance using the specified properties.
         * @param [properties] Properties to set
         * @returns FormationReply instance
         */
        static create(properties: millrace.FormationReply.$Shape): millrace.FormationReply & millrace.FormationReply.$Shape;
        static create(properties?: millrace.FormationReply.$Properties): millrace.FormationReply;

        /**
         * Encodes the specified FormationReply message. Does not implicitly {@link millrace.FormationReply.verify|verify} messages.
         * @param message FormationReply message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: millrace.FormationReply.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a FormationReply message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {millrace.FormationReply & millrace.FormationReply.$Shape} FormationReply
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): millrace.FormationReply & millrace.FormationReply.$Shape;
    }

    namespace FormationReply {

        /** Properties of a FormationReply. */
        interface $Properties {

            /** FormationReply granted */
            granted?: (boolean|null);

            /** FormationReply promised */
            promised?: (millrace.Ballot.$Properties|null);

            /** FormationReply acceptedBallot */
            acceptedBallot?: (millrace.Ballot.$Properties|null);

            /** FormationReply accepted */
            accepted?: (millrace.MetaGroup.$Properties|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a FormationReply. */
        type $Shape = millrace.FormationReply.$Properties;
    }

    /**
     * Properties of a NodeState.
     * @deprecated Use millrace.NodeState.$Properties instead.
     */
    interface INodeState extends millrace.NodeState.$Properties {
    }

    /** Represents a NodeState. */
    class NodeState {

        /**
         * Constructs a new NodeState.
         * @param [properties] Properties to set
         */
        constructor(properties?: millrace.NodeState.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** NodeState promised. */
        promised?: (millrace.Ballot.$Properties|null);

        /** NodeState acceptedBallot. */
        acceptedBallot?: (millrace.Ballot.$Properties|null);

        /** NodeState accepted. */
        accepted?: (millrace.MetaGroup.$Properties|null);

        /** NodeState formed. */
        formed?: (millrace.MetaGroup.$Properties|null);

        /** NodeState addresses. */
        addresses: millrace.Address.$Properties[];

        /**
         * Creates a new NodeState instance using the specified properties.
         * @param [properties] Properties to set
         * @returns NodeState instance
         */
        static create(properties: millrace.NodeState.$Shape): millrace.NodeState & millrace.NodeState.$Shape;
        static create(properties?: millrace.NodeState.$Properties): millrace.NodeState;

        /**
         * Encodes the specified NodeState message. Does not implicitly {@link millrace.NodeState.verify|verify} messages.
         * @param message NodeState message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: millrace.NodeState.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a NodeState message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {millrace.NodeState & millrace.NodeState.$Shape} NodeState
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): millrace.NodeState & millrace.NodeState.$Shape;
    }

    namespace NodeState {

        /** Properties of a NodeState. */
        interface $Properties {

            /** NodeState promised */
            promised?: (millrace.Ballot.$Properties|null);

            /** NodeState acceptedBallot */
            acceptedBallot?: (millrace.Ballot.$Properties|null);

            /** NodeState accepted */
            accepted?: (millrace.MetaGroup.$Properties|null);

            /** NodeState formed */
            formed?: (millrace.MetaGroup.$Properties|null);

            /** NodeState addresses */
            addresses?: (millrace.Address.$Properties[]|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a NodeState. */
        type $Shape = millrace.NodeState.$Properties;
    }

    /**
     * Properties of an Address.
     * @deprecated Use millrace.Address.$Properties instead.
     */
    interface IAddress extends millrace.Address.$Properties {
    }

    /** Represents an Address. */
    class Address {

        /**
         * Constructs a new Address.
         * @param [properties] Properties to set
         */
        constructor(properties?: millrace.Address.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Address node. */
        node: string;

        /** Address address. */
        address: string;

        /**
         * Creates a new Address instance using the specified properties.
         * @param [properties] Properties to set
         * @returns Address instance
         */
        static create(properties: millrace.Address.$Shape): millrace.Address & millrace.Address.$Shape;
        static create(properties?: millrace.Address.$Properties): millrace.Address;

        /**
         * Encodes the specified Address message. Does not implicitly {@link millrace.Address.verify|verify} messages.
         * @param message Address message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: millrace.Address.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes an Address message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {millrace.Address & millrace.Address.$Shape} Address
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): millrace.Address & millrace.Address.$Shape;
    }

    namespace Address {

        /** Properties of an Address. */
        interface $Properties {

            /** Address node */
            node?: (string|null);

            /** Address address */
            address?: (string|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of an Address. */
        type $Shape = millrace.Address.$Properties;
    }

    /**
     * Properties of a JoinReply.
     * @deprecated Use millrace.JoinReply.$Properties instead.
     */
    interface IJoinReply extends millrace.JoinReply.$Properties {
    }

    /** Represents a JoinReply. */
    class JoinReply {

        /**
         * Constructs a new JoinReply.
         * @param [properties] Properties to set
         */
        constructor(properties?: millrace.JoinReply.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** JoinReply group. */
        group?: (millrace.MetaGroup.$Properties|null);

        /**
         * Creates a new JoinReply instance using the specified properties.
         * @param [properties] Properties to set
         * @returns JoinReply instance
         */
        static create(properties: millrace.JoinReply.$Shape): millrace.JoinReply & millrace.JoinReply.$Shape;
        static create(properties?: millrace.JoinReply.$Properties): millrace.JoinReply;

        /**
         * Encodes the specified JoinReply message. Does not implicitly {@link millrace.JoinReply.verify|verify} messages.
         * @param message JoinReply message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: millrace.JoinReply.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a JoinReply message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {millrace.JoinReply & millrace.JoinReply.$Shape} JoinReply
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): millrace.JoinReply & millrace.JoinReply.$Shape;
    }

    namespace JoinReply {

        /** Properties of a JoinReply. */
        interface $Properties {

            /** JoinReply group */
            group?: (millrace.MetaGroup.$Properties|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a JoinReply. */
        type $Shape = millrace.JoinReply.$Properties;
    }
}
