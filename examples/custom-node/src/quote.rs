//! `shipping.quote`: what it costs to send each parcel. Must not know the engine.

use sluice_node_sdk::prelude::*;

/// The node.
pub struct Quote;

/// What the carrier charges, in the smallest unit of the currency (paise, cents), so that nothing is rounded.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuoteParams {
    /// Weight of the parcel in grams, for example `{{ json.weight_g }}`.
    #[schemars(range(min = 1))]
    pub weight_g: u64,
    /// Price of the first kilogram.
    pub first_kg: u64,
    /// Price of each further kilogram that is begun.
    pub further_kg: u64,
    /// The heaviest parcel that the carrier takes, in grams.
    #[serde(default = "thirty_kilograms")]
    pub max_weight_g: u64,
}

fn thirty_kilograms() -> u64 {
    30_000
}

impl Node for Quote {
    const TYPE: &'static str = "shipping.quote";
    type Params = QuoteParams;

    fn spec(&self) -> NodeSpec {
        let rates = |weight_g: u64| json!({ "weight_g": weight_g, "first_kg": 6000, "further_kg": 2500 });
        NodeSpec::new("Shipping quote", "Works out what it costs to send each parcel")
            .docs(
                "Gives one quote for each item: the kilograms begun and the price for them. A parcel above the \
                 carrier's limit is an error; set `on_error` to `route` to send such parcels another way.",
            )
            .example(
                Example::new("Two kilograms begun", rates(1200))
                    .input(vec![json!({ "order": "A-1" })])
                    .output(vec![json!({ "kilograms": 2, "price": 8500 })]),
            )
            .example(
                Example::new("Too heavy", rates(40_000))
                    .input(vec![json!({ "order": "A-2" })])
                    .error("parcel_too_heavy"),
            )
    }

    async fn run(&self, ctx: &Context<'_, QuoteParams>, input: Input) -> Result<Outcome, NodeError> {
        let mut quotes = Vec::with_capacity(input.items().len());
        for index in 0..input.items().len() {
            let params = ctx.params(index)?; // expressions are evaluated for this item
            let (kilograms, price) = price(&params)?;
            quotes.push(Item::new(json!({ "kilograms": kilograms, "price": price })).from_input(index));
        }
        Ok(quotes.into())
    }
}

fn price(params: &QuoteParams) -> Result<(u64, u64), NodeError> {
    if params.weight_g > params.max_weight_g {
        let message = format!(
            "The parcel weighs {} g, the carrier takes at most {} g; split it or choose another carrier",
            params.weight_g, params.max_weight_g
        );
        return Err(NodeError::invalid_input(message).code("parcel_too_heavy").at("/weight_g"));
    }
    let kilograms = params.weight_g.div_ceil(1000).max(1);
    let price =
        params.further_kg.checked_mul(kilograms - 1).and_then(|rest| rest.checked_add(params.first_kg));
    let price =
        price.ok_or_else(|| NodeError::invalid_params("The price is too large a number").at("/first_kg"))?;
    Ok((kilograms, price))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kilogram_begun_is_charged() {
        let table = [(1, (1, 60)), (1000, (1, 60)), (1001, (2, 85)), (30_000, (30, 785))];
        for (weight_g, expected) in table {
            let params = QuoteParams { weight_g, first_kg: 60, further_kg: 25, max_weight_g: 30_000 };
            assert_eq!(price(&params).unwrap(), expected, "{weight_g} g");
        }
    }

    #[test]
    fn a_price_that_is_no_number_any_more_is_an_error() {
        let params = QuoteParams { weight_g: 3000, first_kg: 1, further_kg: u64::MAX, max_weight_g: 30_000 };
        assert_eq!(price(&params).unwrap_err().path.as_deref(), Some("/first_kg"));
    }
}
