// The constructs that a value refers to.
"use strict";

const cdk = require("aws-cdk-lib");

// Resolves like the CDK, and records the referenced constructs.
class References extends cdk.DefaultTokenResolver {
    constructor() {
        super(new cdk.StringConcat());
        this.targets = new Set();
    }

    resolveToken(token, context, postProcessor) {
        if (cdk.Reference.isReference(token)) {
            this.targets.add(token.target);
        }
        if (token instanceof cdk.aws_iam.PolicyDocument) {
            return context.resolve(token.toJSON()); // its own way freezes its statements, which later aspects may change
        }
        return super.resolveToken(token, context, postProcessor);
    }
}

function targetsOf(value, scope) {
    const resolver = new References();
    cdk.Tokenization.resolve(value, { scope, resolver, preparing: false });
    return resolver.targets;
}

exports.targetsOf = targetsOf;
