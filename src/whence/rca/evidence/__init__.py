"""One file for each kind of evidence. Each measures one fact and says how much it speaks for or against a change.

The weight is in nats: ln of how much likelier the fact is if the change is guilty than if it is a bystander. Evidence
that can't be had is absent, which is not innocence.
"""
